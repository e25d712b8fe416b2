use std::{sync::Arc, time::Duration};

use super::{
    super::{Fit, Left, Level, Limit, Taken, Timestamp},
    shards::{Id, IdMap},
};

/// Some of the levels of a store, behind one lock.
pub(super) struct Shard {
    levels: Levels,
    /// Levels that keys share for which there was no room, by their budgets.
    shared: Levels,
    /// The limits of all levels, once each: they are few, and larger than a level.
    limits: Vec<Arc<Limit>>,
    capacity: usize,
    /// Looking for keys to forget is not worth it before.
    sweep: Timestamp,
}

/// Which level is a key's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Home {
    pub(super) key: Id,
    pub(super) budget: Id,
    /// It is that of all keys of the budget that came too late.
    pub(super) shared: bool,
}

type Levels = IdMap<Entry>;

#[derive(Clone)]
struct Entry {
    level: Level,
    limit: Arc<Limit>,
}

/// How often a full shard is looked through for keys to forget. It takes up to a millisecond.
const SWEEP: Duration = Duration::from_secs(1);

impl Shard {
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            levels: Levels::default(),
            shared: Levels::default(),
            limits: Vec::new(),
            capacity,
            sweep: Timestamp::default(),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.levels.len()
    }

    /// Whether a key has a level of its own, or can have one.
    pub(super) fn has_place_for(&mut self, key: Id, now: Timestamp) -> bool {
        self.levels.contains_key(&key) || self.has_room(now)
    }

    /// Whether so much can be taken, and what is left if not. Takes nothing, and no room.
    pub(super) fn fit(
        &mut self,
        home: Home,
        limit: &Limit,
        now: Timestamp,
        amount: u64,
    ) -> Result<(), (Fit, Left)> {
        let limit = self.intern(limit);
        let mut unseen;
        let entry = if self.known(home).is_some() {
            self.entry(home, &limit, now)
        } else {
            unseen = self.unseen(home, &limit, now);
            &mut unseen
        };
        match entry.level.fit(&limit, now, amount) {
            Fit::Now => Ok(()),
            fit => Err((fit, entry.level.left(&limit, now))),
        }
    }

    pub(super) fn take(
        &mut self,
        home: Home,
        limit: &Limit,
        now: Timestamp,
        amount: u64,
    ) -> (Taken, Left) {
        let limit = self.intern(limit);
        let level = &mut self.entry(home, &limit, now).level;
        let taken = level.take(&limit, now, amount);
        (taken, level.left(&limit, now))
    }

    /// Takes more to what was taken, from the level as it is now.
    pub(super) fn extend(
        &mut self,
        home: Home,
        limit: &Limit,
        now: Timestamp,
        taken: &mut Taken,
        more: u64,
    ) {
        let limit = self.limit_of(home, limit);
        let level = &mut self.entry(home, &limit, now).level;
        level.extend(&limit, now, taken, more);
    }

    /// Leaves so much of a rate at most.
    pub(super) fn lower(&mut self, home: Home, limit: &Limit, now: Timestamp, most: u64) {
        let limit = self.limit_of(home, limit);
        let level = &mut self.entry(home, &limit, now).level;
        level.lower(&limit, now, most);
    }

    /// Corrects what was taken to what was used, in the level as it is now.
    pub(super) fn settle(
        &mut self,
        home: Home,
        limit: &Limit,
        now: Timestamp,
        taken: Taken,
        used: u64,
    ) {
        // A key that was forgotten has its whole limit: there is nothing to give back.
        if used > taken.amount || self.known(home).is_some() {
            let limit = self.limit_of(home, limit);
            let level = &mut self.entry(home, &limit, now).level;
            level.settle(&limit, now, taken, used);
        }
    }

    /// What a key has left, or would have if it came now.
    pub(super) fn left(&mut self, home: Home, limit: &Limit, now: Timestamp) -> Left {
        let limit = self.intern(limit);
        let mut entry = match self.levels.get(&home.key) {
            Some(entry) => entry.clone(),
            None => self.unseen(home, &limit, now),
        };
        entry.change(&limit, now);
        entry.level.left(&limit, now)
    }

    fn has_room(&mut self, now: Timestamp) -> bool {
        if self.levels.len() >= self.capacity && now >= self.sweep {
            let in_use = |entry: &mut Entry| !entry.level.is_untouched(&entry.limit, now);
            self.levels.retain(|_, entry| in_use(entry));
            self.shared.retain(|_, entry| in_use(entry));
            self.sweep = now.after(SWEEP);
        }
        self.levels.len() < self.capacity
    }

    fn known(&self, home: Home) -> Option<&Entry> {
        if home.shared {
            self.shared.get(&home.budget)
        } else {
            self.levels.get(&home.key)
        }
    }

    /// The limit that a level has now, whatever it was when something was taken; that of then if it
    /// was forgotten.
    fn limit_of(&mut self, home: Home, limit: &Limit) -> Arc<Limit> {
        match self.known(home) {
            Some(entry) => Arc::clone(&entry.limit),
            None => self.intern(limit),
        }
    }

    /// The entry of a key, whose limit is this one from now on.
    fn entry(&mut self, home: Home, limit: &Arc<Limit>, now: Timestamp) -> &mut Entry {
        let unseen = match self.known(home) {
            Some(_) => None,
            None => Some(self.unseen(home, limit, now)),
        };
        let entry = if home.shared {
            self.shared.entry(home.budget)
        } else {
            self.levels.entry(home.key)
        };
        let entry = entry.or_insert_with(|| unseen.unwrap_or_else(|| Entry::new(limit, now)));
        entry.change(limit, now);
        entry
    }

    /// What a key begins with: the level that it may have shared until now.
    fn unseen(&self, home: Home, limit: &Arc<Limit>, now: Timestamp) -> Entry {
        let mut entry = match self.shared.get(&home.budget) {
            Some(shared) => shared.clone(),
            None => Entry::new(limit, now),
        };
        entry.change(limit, now);
        entry
    }

    fn intern(&mut self, limit: &Limit) -> Arc<Limit> {
        if let Some(known) = self.limits.iter().find(|known| ***known == *limit) {
            return Arc::clone(known);
        }
        // Those of before a change, when nobody has them any more.
        self.limits.retain(|limit| Arc::strong_count(limit) > 1);
        let limit = Arc::new(*limit);
        self.limits.push(Arc::clone(&limit));
        limit
    }
}

impl Entry {
    fn new(limit: &Arc<Limit>, now: Timestamp) -> Self {
        Self {
            level: Level::untouched(limit, now),
            limit: Arc::clone(limit),
        }
    }

    fn change(&mut self, limit: &Arc<Limit>, now: Timestamp) {
        if !Arc::ptr_eq(&self.limit, limit) {
            self.level.change(&self.limit, limit, now);
            self.limit = Arc::clone(limit);
        }
    }
}
