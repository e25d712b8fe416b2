use std::{
    future::Pending,
    pin::Pin,
    time::{Instant, SystemTime},
};

use super::{Clock, SystemClock};

/// Waits until an instant of its own clock.
///
/// A timer is a [`Clock`] too, because a deadline only means something on the clock that it was computed from.
pub trait Timer: Clock {
    /// Completes once [`Clock::now`] has reached the deadline. Dropping it cancels the wait.
    type Sleep: Future<Output = ()> + Send + 'static;

    /// A wait until `deadline`; one in the past completes at its first poll.
    fn sleep_until(&self, deadline: Instant) -> Self::Sleep;

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
