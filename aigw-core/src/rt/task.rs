use std::{error::Error, fmt};

/// Starts a task that runs on after the call that started it.
///
/// Only types whose docs say so spawn; each task ends when its owner's handles are gone or its
/// stated bound is reached.
pub trait Spawn: Clone + Send + Sync + 'static {
    /// Runs `task` to its end, or until the runtime shuts down.
    fn spawn<F>(&self, task: F)
    where
        F: Future<Output = ()> + Send + 'static;
}

/// Runs computation that would block the reactor somewhere else.
pub trait Offload: Clone + Send + Sync + 'static {
    /// The result of the work. Dropping it abandons the result; work already begun runs to its end.
    type Offloaded<T: Send + 'static>: Future<Output = Result<T, OffloadError>> + Send + 'static;

    /// Runs `work` off the reactor.
    fn offload<F, T>(&self, work: F) -> Self::Offloaded<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static;
}

/// The offloaded work panicked, or the runtime shut down before it ran.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OffloadError;

impl fmt::Display for OffloadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("offloaded work did not finish")
    }
}

impl Error for OffloadError {}
