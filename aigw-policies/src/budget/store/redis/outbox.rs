//! What is still to be told to Redis: pure.

use std::collections::{HashMap, VecDeque};

use super::super::super::Limit;

/// A change of a level that is already decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Correction {
    pub(super) key: String,
    pub(super) limit: Limit,
    pub(super) what: What,
    /// Whence it was taken, in microseconds since 1970.
    pub(super) from: u64,
    pub(super) taken: u64,
    pub(super) used: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// So much was used in the end.
    Settle,
    /// More than was taken is used already, and still more may be.
    Extend,
    /// No more than what stands for what was used is left, whatever was taken.
    Lower,
}

impl What {
    /// What scripts know it by.
    pub(super) const fn number(self) -> u64 {
        match self {
            Self::Settle => 0,
            Self::Extend => 1,
            Self::Lower => 2,
        }
    }
}

/// Corrections on their way, in their order; bounded.
#[derive(Debug)]
pub(super) struct Outbox {
    queue: VecDeque<Correction>,
    /// What was used of keys for which Redis was not asked before, in sum: there is no end to it
    /// while an outage lasts.
    unasked: HashMap<String, Correction>,
    capacity: usize,
    dropped: u64,
}

impl Outbox {
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            queue: VecDeque::new(),
            unasked: HashMap::new(),
            capacity,
            dropped: 0,
        }
    }

    /// Answers whether Redis will know of it.
    pub(super) fn push(&mut self, correction: Correction) -> bool {
        // It would change nothing.
        if correction.what != What::Lower && correction.taken == correction.used {
            return true;
        }
        let has_room = self.queue.len() < self.capacity;
        if has_room {
            self.queue.push_back(correction);
        } else {
            self.dropped += 1;
        }
        has_room
    }

    pub(super) fn push_all(&mut self, corrections: impl IntoIterator<Item = Correction>) {
        for correction in corrections {
            self.push(correction);
        }
    }

    /// So much was used of a key at a time, and Redis was not asked before.
    pub(super) fn push_unasked(&mut self, key: &str, limit: Limit, at: u64, used: u64) {
        if used == 0 {
            return;
        }
        if let Some(before) = self.unasked.get_mut(key) {
            // Where a period has ended meanwhile, all of it counts for the next: not less is used.
            before.from = before.from.max(at);
            before.used = before.used.saturating_add(used);
        } else if self.unasked.len() < self.capacity {
            let correction = Correction {
                key: key.to_owned(),
                limit,
                what: What::Settle,
                from: at,
                taken: 0,
                used,
            };
            self.unasked.insert(key.to_owned(), correction);
        } else {
            self.dropped += 1;
        }
    }

    /// Puts all there are in a row, before whatever comes. Answers how many they are.
    pub(super) fn seal(&mut self) -> usize {
        self.queue.extend(self.unasked.drain().map(|(_, sum)| sum));
        self.queue.len()
    }

    /// The oldest, so many at most.
    pub(super) fn batch(&mut self, most: usize) -> Vec<Correction> {
        let mut batch: Vec<_> = self.queue.drain(..most.min(self.queue.len())).collect();
        let keys: Vec<_> = self
            .unasked
            .keys()
            .take(most - batch.len())
            .cloned()
            .collect();
        batch.extend(keys.iter().filter_map(|key| self.unasked.remove(key)));
        batch
    }

    pub(super) fn is_empty(&self) -> bool {
        self.queue.is_empty() && self.unasked.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.queue.len() + self.unasked.len()
    }

    /// So many will never be told.
    pub(super) fn drop_unsent(&mut self, corrections: usize) {
        self.dropped += corrections as u64;
    }

    /// How many were dropped.
    pub(super) fn dropped(&self) -> u64 {
        self.dropped
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::budget::Rate;

    fn correction(used: u64) -> Correction {
        Correction {
            key: "k".to_owned(),
            limit: limit(),
            what: What::Settle,
            from: 1,
            taken: 10,
            used,
        }
    }

    fn limit() -> Limit {
        Rate::try_new(100, Duration::from_secs(60)).unwrap().into()
    }

    #[test]
    fn corrections_leave_in_their_order_and_none_that_changes_nothing() {
        let mut outbox = Outbox::new(10);
        for used in [1, 10, 2, 3] {
            outbox.push(correction(used));
        }
        assert_eq!(outbox.len(), 3);
        let used = |batch: Vec<Correction>| batch.iter().map(|it| it.used).collect::<Vec<_>>();
        assert_eq!(used(outbox.batch(2)), [1, 2]);
        assert_eq!(used(outbox.batch(2)), [3]);
        assert!(outbox.is_empty());
    }

    #[test]
    fn what_finds_no_room_is_counted() {
        let mut outbox = Outbox::new(2);
        let kept = [1, 2, 3].map(|used| outbox.push(correction(used)));
        assert_eq!(kept, [true, true, false]);
        for key in ["a", "b", "c", "a"] {
            outbox.push_unasked(key, limit(), 5, 1);
        }
        assert_eq!((outbox.len(), outbox.dropped()), (4, 2));
    }

    #[test]
    fn use_that_was_not_asked_for_is_summed_up_by_key() {
        let mut outbox = Outbox::new(10);
        for (at, used) in [(5, 20), (9, 30), (7, 0)] {
            outbox.push_unasked("k", limit(), at, used);
        }
        let batch = outbox.batch(10);
        let [sum] = batch.as_slice() else {
            panic!("{batch:?}");
        };
        assert_eq!((sum.from, sum.taken, sum.used), (9, 0, 50));
    }
}
