//! What is used of a quota in the period that ends now, in parts of the period.

use std::time::Duration;

use super::{Align, Fit, Timestamp, limit::Quota, timestamp::ceil_micros};

const SLOTS: usize = Align::SLOTS as usize;

/// The use of one key in the last period.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Rolling {
    /// How long a slot is, in microseconds.
    width: u64,
    /// The number of the newest slot, counted from 1970.
    newest: u64,
    /// Slots before this one were of another width: what was taken from them is in it.
    since: u64,
    /// What was used in each slot, slot *n* at the place *n* modulo their number.
    used: [u64; SLOTS],
}

impl Rolling {
    pub(super) fn new(quota: &Quota, now: Timestamp) -> Self {
        let width = width(quota);
        Self {
            width,
            newest: now.as_micros() / width,
            since: 0,
            used: [0; SLOTS],
        }
    }

    /// The same use in a period of another length: all of it as if it were of just now.
    pub(super) fn change(&mut self, quota: &Quota, now: Timestamp) {
        if width(quota) == self.width {
            return;
        }
        let used = self.total();
        *self = Self::new(quota, now);
        self.since = self.newest;
        self.add(self.newest, used);
    }

    /// Forgets what is older than a period.
    pub(super) fn advance(&mut self, now: Timestamp) {
        let slot = now.as_micros() / self.width;
        // As many steps as there are slots, and there is nothing left.
        let steps = slot.saturating_sub(self.newest).min(Align::SLOTS);
        for step in 0..steps {
            self.set(slot - step, 0);
        }
        self.newest = self.newest.max(slot);
    }

    pub(super) fn fit(&self, quota: &Quota, now: Timestamp, amount: u64) -> Fit {
        if amount > quota.amount() {
            return Fit::Never;
        }
        let mut used = self.total();
        if used.saturating_add(amount) <= quota.amount() {
            return Fit::Now;
        }
        // The oldest first: each is given back when the slot behind the newest takes its place.
        for slot in (self.newest + 1).saturating_sub(Align::SLOTS)..=self.newest {
            used = used.saturating_sub(self.get(slot));
            if used.saturating_add(amount) <= quota.amount() {
                return Fit::Later(self.forgotten_in(slot, now));
            }
        }
        Fit::Later(self.over_in(now))
    }

    /// Takes so much; answers from which slot.
    pub(super) fn take(&mut self, amount: u64) -> Timestamp {
        self.add(self.newest, amount);
        Timestamp::from_micros(self.newest.saturating_mul(self.width))
    }

    /// Corrects what was taken from a slot to what was used, unless it is forgotten.
    pub(super) fn settle(&mut self, begin: Timestamp, taken: u64, used: u64) {
        let slot = (begin.as_micros() / self.width).max(self.since);
        if slot <= self.newest && self.newest - slot < Align::SLOTS {
            let before = self.get(slot);
            self.set(slot, before.saturating_sub(taken).saturating_add(used));
        }
    }

    pub(super) fn remaining(&self, quota: &Quota) -> u64 {
        quota.amount().saturating_sub(self.total())
    }

    /// How long until all is given back.
    pub(super) fn over_in(&self, now: Timestamp) -> Duration {
        let slots = (self.newest + 1).saturating_sub(Align::SLOTS)..=self.newest;
        let last = slots.rev().find(|slot| self.get(*slot) > 0);
        last.map_or(Duration::ZERO, |slot| self.forgotten_in(slot, now))
    }

    fn forgotten_in(&self, slot: u64, now: Timestamp) -> Duration {
        let at = (slot + Align::SLOTS).saturating_mul(self.width);
        Timestamp::from_micros(at).since(now)
    }

    fn total(&self) -> u64 {
        self.used
            .iter()
            .fold(0, |sum, used| sum.saturating_add(*used))
    }

    fn get(&self, slot: u64) -> u64 {
        self.used.get(place(slot)).copied().unwrap_or_default()
    }

    fn set(&mut self, slot: u64, used: u64) {
        if let Some(place) = self.used.get_mut(place(slot)) {
            *place = used;
        }
    }

    fn add(&mut self, slot: u64, amount: u64) {
        self.set(slot, self.get(slot).saturating_add(amount));
    }
}

fn place(slot: u64) -> usize {
    (slot % Align::SLOTS) as usize
}

/// What was used at the very end of a slot is forgotten one slot earlier than what was used at its
/// beginning: so many slots but one must make the period.
pub(super) fn width(quota: &Quota) -> u64 {
    ceil_micros(quota.period().length()).div_ceil(Align::SLOTS - 1)
}
