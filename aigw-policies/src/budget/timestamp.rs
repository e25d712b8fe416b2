use std::{
    fmt,
    time::{Duration, SystemTime},
};

/// A point in time, in microseconds since 1970-01-01T00:00:00Z.
///
/// Wall time, because quotas follow the calendar and because processes that share a store must agree
/// on it: finer than any limit needs, and exact in the numbers that a Redis script computes with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Timestamp(u64);

impl Timestamp {
    /// A point by its microseconds since 1970.
    #[must_use]
    pub(crate) const fn from_micros(micros: u64) -> Self {
        Self(micros)
    }

    /// Microseconds since 1970.
    #[must_use]
    pub(crate) const fn as_micros(self) -> u64 {
        self.0
    }

    /// How much later this is; zero if it is earlier.
    #[must_use]
    pub(crate) const fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(self.0.saturating_sub(earlier.0))
    }

    /// The point so much later, rounded up to a microsecond.
    #[must_use]
    pub(crate) fn after(self, wait: Duration) -> Self {
        Self(self.0.saturating_add(ceil_micros(wait)))
    }
}

/// A wait in microseconds, rounded up: who waits less has not waited.
pub(super) fn ceil_micros(wait: Duration) -> u64 {
    let rest = u64::from(wait.subsec_nanos().div_ceil(1_000));
    wait.as_secs()
        .saturating_mul(1_000_000)
        .saturating_add(rest)
}

impl From<SystemTime> for Timestamp {
    /// A time before 1970 becomes 1970.
    fn from(time: SystemTime) -> Self {
        let since = time.duration_since(SystemTime::UNIX_EPOCH);
        let micros = since.unwrap_or_default().as_micros();
        Self(u64::try_from(micros).unwrap_or(u64::MAX))
    }
}

impl fmt::Display for Timestamp {
    /// Seconds and microseconds since 1970.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:06}", self.0 / 1_000_000, self.0 % 1_000_000)
    }
}
