use std::sync::atomic::{AtomicU64, Ordering};

/// What has become of the calls and corrections of a [`RedisStore`](super::RedisStore) since it was
/// made; `leases`, `waiting`, `processes` and `is_lost` are as of now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Decisions that Redis made.
    pub decided: u64,
    /// Decisions that [`OnError`](super::OnError) made in its place, whichever it is.
    pub undecided: u64,
    /// Decisions of which nobody knows whether Redis has made them: the connection broke. What they
    /// asked stays taken if it has.
    pub in_doubt: u64,
    /// Corrections for which there was no room.
    pub dropped: u64,
    /// Places of concurrency limits that this process holds.
    pub leases: u64,
    /// Corrections that are on their way.
    pub waiting: u64,
    /// How often Redis was found to have forgotten what it knew: what had been used of limits was
    /// there again.
    pub forgotten: u64,
    /// How many processes share the limits, this one included, as of the last time that Redis was
    /// asked.
    pub processes: u64,
    /// Whether Redis does not answer at present.
    pub is_lost: bool,
}

/// A number that only grows.
#[derive(Debug, Default)]
pub(super) struct Counter(AtomicU64);

impl Counter {
    // Relaxed throughout: a counter orders nothing.
    pub(super) fn count(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}
