use std::time::{Instant, SystemTime};

/// Tells the time.
///
/// Instants measure, wall time is only for what the wire states as a date (`Retry-After`).
pub trait Clock: Clone + Send + Sync + 'static {
    /// The monotonic time now.
    fn now(&self) -> Instant;

    /// The wall time now. It may step in either direction.
    fn wall(&self) -> SystemTime;
}

/// The operating system's clock. The default wherever a clock is needed.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Instant {
        Instant::now()
    }

    fn wall(&self) -> SystemTime {
        SystemTime::now()
    }
}
