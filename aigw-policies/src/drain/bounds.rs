use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

/// How far an answer is read for nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[must_use]
pub struct Bounds {
    pub(super) time: Duration,
    pub(super) bytes: u64,
    pub(super) concurrent: usize,
}

impl Bounds {
    /// Reads on for at most this long after the hang-up, and at most this many bytes of data. Zero
    /// of either never reads on.
    pub fn new(time: Duration, bytes: u64) -> Self {
        Self {
            time,
            bytes,
            concurrent: Self::DEFAULT_CONCURRENT,
        }
    }

    /// The default of [`concurrent`](Self::concurrent): some thousand tasks are cheap, and so many
    /// hang-ups at once are an incident.
    pub const DEFAULT_CONCURRENT: usize = 1024;

    /// How many answers may be read for nobody at once; beyond them a hang-up cancels. 1024 by
    /// default, zero never reads on.
    pub fn concurrent(mut self, answers: usize) -> Self {
        self.concurrent = answers;
        self
    }

    pub(super) fn are_zero(&self) -> bool {
        self.time.is_zero() || self.bytes == 0
    }
}

/// The places for answers that are read for nobody.
#[derive(Clone, Debug)]
pub(super) struct Places(Arc<AtomicUsize>);

impl Places {
    pub(super) fn new(free: usize) -> Self {
        Self(Arc::new(AtomicUsize::new(free)))
    }

    /// Takes one, if one is free.
    pub(super) fn take(&self) -> Option<Place> {
        // Relaxed: the counter guards no other memory.
        self.0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |free| {
                free.checked_sub(1)
            })
            .ok()
            .map(|_| Place(Arc::clone(&self.0)))
    }
}

/// A taken place, free again when dropped.
#[derive(Debug)]
#[must_use]
pub(super) struct Place(Arc<AtomicUsize>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_free_again_when_dropped() {
        let places = Places::new(1);
        let place = places.take();
        assert!(place.is_some() && places.take().is_none());
        drop(place);
        assert!(places.take().is_some());
    }
}
