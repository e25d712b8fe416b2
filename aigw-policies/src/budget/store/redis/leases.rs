//! Leases of concurrency limits: who has one, and what Redis is still to be told of them. Pure.

#![cfg_attr(
    not(feature = "concurrency-limit"),
    expect(dead_code, reason = "who takes leases is behind the feature")
)]

use std::collections::{HashMap, VecDeque};

/// What is to be done with a lease. Each can be done twice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Change {
    pub(super) key: String,
    pub(super) number: u64,
    pub(super) what: What,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    Renew,
    Release,
}

impl What {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Renew => "renew",
            Self::Release => "release",
        }
    }
}

/// The leases of a process, by their numbers.
#[derive(Debug)]
pub(super) struct Leases {
    held: HashMap<u64, String>,
    changes: VecDeque<Change>,
    /// How many changes there may be. One that finds no room is not missed: a lease that is not
    /// renewed ends, and one that is to be renewed is so again.
    capacity: usize,
    next: u64,
}

/// How many leases are given back with one that is taken, at most.
const TOGETHER: usize = 32;

impl Leases {
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            held: HashMap::new(),
            changes: VecDeque::new(),
            capacity,
            next: 0,
        }
    }

    /// The number of the next lease.
    pub(super) fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    pub(super) fn hold(&mut self, number: u64, key: String) {
        self.held.insert(number, key);
    }

    /// It is held no longer, if it ever was.
    pub(super) fn release(&mut self, number: u64, key: String) {
        self.held.remove(&number);
        let what = What::Release;
        self.push(Change { key, number, what });
    }

    /// All that are held are to be renewed.
    pub(super) fn renew(&mut self) {
        let held: Vec<_> = self
            .held
            .iter()
            .map(|(it, key)| (*it, key.clone()))
            .collect();
        for (number, key) in held {
            let what = What::Renew;
            self.push(Change { key, number, what });
        }
    }

    /// Those of a key that are given back and of which Redis may not know yet.
    pub(super) fn released(&self, key: &str) -> Vec<u64> {
        let changes = self.changes.iter();
        let of_key = changes.filter(|it| it.what == What::Release && it.key == key);
        of_key.map(|it| it.number).take(TOGETHER).collect()
    }

    /// The oldest changes, so many at most.
    pub(super) fn batch(&mut self, most: usize) -> Vec<Change> {
        let most = most.min(self.changes.len());
        self.changes.drain(..most).collect()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// How many changes Redis is to be told of.
    pub(super) fn len(&self) -> usize {
        self.changes.len()
    }

    pub(super) fn held(&self) -> usize {
        self.held.len()
    }

    fn push(&mut self, change: Change) {
        if self.changes.len() < self.capacity {
            self.changes.push_back(change);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_held_is_renewed_and_what_was_given_back_is_not() {
        let mut leases = Leases::new(10);
        let (one, two) = (leases.number(), leases.number());
        leases.hold(one, "k".into());
        leases.hold(two, "k".into());
        leases.release(one, "k".into());
        leases.renew();
        assert_eq!((leases.held(), leases.released("k")), (1, vec![one]));
        let done: Vec<_> = leases
            .batch(10)
            .iter()
            .map(|it| (it.number, it.what))
            .collect();
        assert_eq!(done, [(one, What::Release), (two, What::Renew)]);
        assert!(leases.is_empty());
    }

    #[test]
    fn changes_take_no_more_room_than_there_is() {
        let mut leases = Leases::new(2);
        for _ in 0..5 {
            let number = leases.number();
            leases.release(number, "k".into());
        }
        assert_eq!(leases.batch(10).len(), 2);
    }
}
