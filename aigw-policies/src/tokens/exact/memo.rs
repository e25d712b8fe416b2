use std::{
    collections::{HashMap, hash_map::RandomState},
    hash::BuildHasher,
    mem,
    sync::{Mutex, PoisonError},
};

use aigw_core::call::PartKind;

use super::encoding::Encoding;
use crate::tokens::prompt::Recipe;

/// What parts of prompts came to, so that a conversation that grows is counted for what is new.
///
/// It keeps no prompt: a part is known by 128 bits of keyed hash over its bytes and everything else
/// that decides its count. The key is random and never leaves the process, so nobody can look for two
/// parts that are taken for one; that two of a billion are by chance has odds of one to 10²⁰.
#[derive(Debug)]
pub(super) struct Memo {
    key: RandomState,
    generations: Mutex<Generations>,
    size: usize,
}

/// Parts that were asked for lately, and those that were before. What is asked for again moves up;
/// when the young are as many as may be, the old are dropped.
#[derive(Debug, Default)]
struct Generations {
    young: HashMap<Key, PartCount>,
    old: HashMap<Key, PartCount>,
}

/// What a part is known by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key([u64; 2]);

/// What a part came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PartCount {
    pub(super) tokens: i64,
    pub(super) assumed: bool,
}

impl Memo {
    /// Keeps at most so many parts; none, if zero.
    pub(super) fn new(parts: usize) -> Self {
        Self {
            key: RandomState::new(),
            generations: Mutex::default(),
            size: parts / 2,
        }
    }

    pub(super) fn key(
        &self,
        json: &[u8],
        kind: PartKind,
        recipe: &Recipe,
        encoding: Encoding,
    ) -> Key {
        // One key and two beginnings: of a pseudo-random function, two results that have nothing to
        // do with each other.
        let half = |half: u8| self.key.hash_one((half, kind, recipe, encoding, json));
        Key([half(0), half(1)])
    }

    /// What is known of these, under one lock.
    pub(super) fn get(&self, keys: impl Iterator<Item = Key>) -> Vec<Option<PartCount>> {
        self.with(|known| keys.map(|key| known.get(key, self.size)).collect())
    }

    pub(super) fn put(&self, counts: impl Iterator<Item = (Key, PartCount)>) {
        self.with(|known| counts.for_each(|(key, count)| known.put(key, count, self.size)));
    }

    fn with<R>(&self, work: impl FnOnce(&mut Generations) -> R) -> R {
        work(
            &mut self
                .generations
                .lock()
                .unwrap_or_else(PoisonError::into_inner),
        )
    }
}

impl Generations {
    fn get(&mut self, key: Key, size: usize) -> Option<PartCount> {
        if let Some(count) = self.young.get(&key) {
            return Some(*count);
        }
        let count = self.old.remove(&key)?;
        self.put(key, count, size);
        Some(count)
    }

    fn put(&mut self, key: Key, count: PartCount, size: usize) {
        if size == 0 {
            return;
        }
        if self.young.len() >= size && !self.young.contains_key(&key) {
            self.old = mem::take(&mut self.young);
        }
        self.young.insert(key, count);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: PartCount = PartCount {
        tokens: 1,
        assumed: false,
    };

    fn key(number: u64) -> Key {
        Key([number, 0])
    }

    fn known(memo: &Memo, numbers: impl Iterator<Item = u64>) -> usize {
        memo.get(numbers.map(key)).iter().flatten().count()
    }

    #[test]
    fn it_never_keeps_more_than_it_may() {
        let memo = Memo::new(8);
        for number in 0..1000 {
            memo.put([(key(number), ONE)].into_iter());
            let kept = memo.with(|known| known.young.len() + known.old.len());
            assert!(kept <= 8, "{kept}");
        }
        assert!(known(&memo, 992..1000) >= 4);
        assert_eq!(known(&memo, 0..900), 0);
    }

    #[test]
    fn what_is_asked_for_again_stays() {
        let memo = Memo::new(8);
        memo.put([(key(0), ONE)].into_iter());
        for number in 1..100 {
            memo.put([(key(number), ONE)].into_iter());
            assert_eq!(known(&memo, 0..1), 1);
        }
    }

    #[test]
    fn a_memo_of_no_parts_keeps_none() {
        let memo = Memo::new(0);
        memo.put([(key(0), ONE)].into_iter());
        assert_eq!(known(&memo, 0..1), 0);
    }
}
