use std::{
    collections::{HashMap, hash_map},
    hash::{BuildHasherDefault, Hasher},
    time::Duration,
};

use super::super::{Fit, Left, Level, Limit, Taken, Timestamp};

/// Some of the levels of a store, behind one lock.
pub(super) struct Shard {
    levels: Levels,
    /// Levels that keys share for which there was no room, by their budgets.
    shared: Levels,
    capacity: usize,
    /// Looking for keys to forget is not worth it before.
    sweep: Timestamp,
}

/// Where the level of a key is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Slot {
    Own(u128),
    /// That of all keys of a budget that came too late.
    Shared(u128),
}

type Levels = HashMap<u128, Entry, BuildHasherDefault<Hashed>>;

struct Entry {
    level: Level,
    /// From when on it is as if the key had never been seen.
    untouched: Timestamp,
}

/// How often a full shard is looked through for keys to forget. It takes up to a millisecond.
const SWEEP: Duration = Duration::from_secs(1);

impl Shard {
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            levels: Levels::default(),
            shared: Levels::default(),
            capacity,
            sweep: Timestamp::default(),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.levels.len()
    }

    /// The place of a key, its own if there is room.
    pub(super) fn slot(&mut self, key: u128, budget: u128, now: Timestamp) -> Slot {
        if self.levels.contains_key(&key) || self.has_room(now) {
            Slot::Own(key)
        } else {
            Slot::Shared(budget)
        }
    }

    /// Whether so much can be taken, and what is left. Takes nothing, and no room.
    pub(super) fn fit(
        &mut self,
        slot: Slot,
        limit: &Limit,
        now: Timestamp,
        amount: u64,
    ) -> (Fit, Left) {
        let mut unseen = None;
        let level = match self.get(slot) {
            Some(entry) => &mut entry.level,
            None => unseen.insert(Level::untouched(limit, now)),
        };
        (level.fit(limit, now, amount), level.left(limit, now))
    }

    pub(super) fn take(
        &mut self,
        slot: Slot,
        limit: &Limit,
        now: Timestamp,
        amount: u64,
    ) -> (Taken, Left) {
        let entry = self.entry(slot, limit, now);
        let taken = entry.level.take(limit, now, amount);
        (taken, entry.left(limit, now))
    }

    pub(super) fn settle(
        &mut self,
        slot: Slot,
        limit: &Limit,
        now: Timestamp,
        taken: Taken,
        used: u64,
    ) {
        // A key that was forgotten has its whole limit: there is nothing to give back.
        if used > taken.amount || self.get(slot).is_some() {
            let entry = self.entry(slot, limit, now);
            entry.level.settle(limit, now, taken, used);
            entry.left(limit, now);
        }
    }

    /// What is left, if the key is known.
    pub(super) fn left(&mut self, key: u128, limit: &Limit, now: Timestamp) -> Option<Left> {
        let entry = self.get(Slot::Own(key))?;
        Some(entry.left(limit, now))
    }

    fn has_room(&mut self, now: Timestamp) -> bool {
        if self.levels.len() >= self.capacity && now >= self.sweep {
            self.levels.retain(|_, entry| entry.untouched > now);
            self.sweep = now.after(SWEEP);
        }
        self.levels.len() < self.capacity
    }

    fn get(&mut self, slot: Slot) -> Option<&mut Entry> {
        match slot {
            Slot::Own(key) => self.levels.get_mut(&key),
            Slot::Shared(budget) => self.shared.get_mut(&budget),
        }
    }

    fn entry(&mut self, slot: Slot, limit: &Limit, now: Timestamp) -> &mut Entry {
        let entry = match slot {
            Slot::Own(key) => self.levels.entry(key),
            Slot::Shared(budget) => self.shared.entry(budget),
        };
        match entry {
            hash_map::Entry::Occupied(entry) => entry.into_mut(),
            hash_map::Entry::Vacant(entry) => entry.insert(Entry {
                level: Level::untouched(limit, now),
                untouched: now,
            }),
        }
    }
}

impl Entry {
    fn left(&mut self, limit: &Limit, now: Timestamp) -> Left {
        let left = self.level.left(limit, now);
        self.untouched = now.after(left.reset);
        left
    }
}

/// Keys are hashes already.
#[derive(Default)]
struct Hashed(u64);

impl Hasher for Hashed {
    fn write_u128(&mut self, key: u128) {
        self.0 = key as u64;
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn finish(&self) -> u64 {
        self.0
    }
}
