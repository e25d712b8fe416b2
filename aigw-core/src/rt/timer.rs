use std::{
    future::Pending,
    pin::Pin,
    time::{Duration, Instant, SystemTime},
};

use super::{Clock, SystemClock};

/// Waits until an instant of its own clock.
///
/// A timer is a [`Clock`] too, because a deadline only means something on the clock that it was
/// computed from.
pub trait Timer: Clock {
    /// Completes once [`Clock::now`] has reached the deadline. Dropping it cancels the wait.
    type Sleep: Future<Output = ()> + Send + 'static;

    /// A wait until `deadline`; one in the past completes at its first poll.
    fn sleep_until(&self, deadline: Instant) -> Self::Sleep;

    /// A wait of `duration` from now; one beyond the clock's range ends at its far end.
    fn sleep_for(&self, duration: Duration) -> Self::Sleep {
        let now = self.now();
        // The instant's range is the platform's own: half of what does not fit may fit.
        let deadline = std::iter::successors(Some(duration), |duration| Some(*duration / 2))
            .find_map(|duration| now.checked_add(duration));
        self.sleep_until(deadline.unwrap_or(now))
    }

    /// Moves a wait to another deadline, as cheaply as the runtime can.
    fn reset(&self, mut sleep: Pin<&mut Self::Sleep>, deadline: Instant) {
        sleep.set(self.sleep_until(deadline));
    }
}

/// A timer that never fires: the default of layers whose deadlines are optional.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoTimer;

/// The wait of a [`NoTimer`], which never completes.
pub type Never = Pending<()>;

impl Clock for NoTimer {
    fn now(&self) -> Instant {
        SystemClock.now()
    }

    fn wall(&self) -> SystemTime {
        SystemClock.wall()
    }
}

impl Timer for NoTimer {
    type Sleep = Never;

    fn sleep_until(&self, _: Instant) -> Never {
        std::future::pending()
    }
}
