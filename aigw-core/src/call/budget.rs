use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

/// A bound on the bytes that all calls of a layer hold buffered at once.
#[derive(Clone, Debug)]
pub(super) struct Budget {
    free: Arc<AtomicUsize>,
}

impl Budget {
    pub(super) fn new(bytes: usize) -> Self {
        Self {
            free: Arc::new(AtomicUsize::new(bytes)),
        }
    }

    /// A hold of no bytes yet.
    pub(super) fn hold(&self) -> Hold {
        Hold {
            free: Arc::clone(&self.free),
            bytes: 0,
        }
    }
}

/// Buffered bytes of one call, given back when the last body that shares them is gone.
#[derive(Debug)]
#[must_use]
pub(super) struct Hold {
    free: Arc<AtomicUsize>,
    bytes: usize,
}

impl Hold {
    /// Takes more bytes, or answers `false` when the bound is reached.
    pub(super) fn grow(&mut self, bytes: usize) -> bool {
        // Relaxed: the counter guards no other memory.
        let taken = self
            .free
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |free| {
                free.checked_sub(bytes)
            });
        if taken.is_ok() {
            self.bytes += bytes;
        }
        taken.is_ok()
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.free.fetch_add(self.bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_dropped_is_free_again() {
        let budget = Budget::new(10);
        let mut first = budget.hold();
        assert!(first.grow(4) && first.grow(6));
        let mut second = budget.hold();
        assert!(!second.grow(1));
        drop(first);
        assert!(second.grow(10));
    }
}
