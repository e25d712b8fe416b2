use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll},
    time::Instant,
};

use aigw_core::rt::Timer;
use pin_project::pin_project;

/// One timer for a deadline that keeps moving.
///
/// It does not exist until it is first needed, and a deadline that moves away does not touch it: it
/// fires where it stood, and is moved then.
#[pin_project]
pub(super) struct Alarm<T: Timer> {
    timer: T,
    #[pin]
    sleep: Option<T::Sleep>,
    /// Where the sleep stands.
    at: Option<Instant>,
}

impl<T: Timer> Alarm<T> {
    pub(super) fn new(timer: T) -> Self {
        Self {
            timer,
            sleep: None,
            at: None,
        }
    }

    /// The timer itself, for another alarm.
    pub(super) fn timer(&self) -> T {
        self.timer.clone()
    }

    /// The clock that its deadlines are of.
    pub(super) fn now(&self) -> Instant {
        self.timer.now()
    }

    /// Completes once `deadline` has passed, and otherwise wakes the task when it does.
    pub(super) fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>, deadline: Instant) -> Poll<()> {
        let mut this = self.project();
        match *this.at {
            Some(at) if at <= deadline => {}
            _ => {
                this.at.replace(deadline);
                match this.sleep.as_mut().as_pin_mut() {
                    Some(sleep) => this.timer.reset(sleep, deadline),
                    None => this.sleep.set(Some(this.timer.sleep_until(deadline))),
                }
            }
        }
        while let Some(mut sleep) = this.sleep.as_mut().as_pin_mut() {
            if sleep.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            if this.at.replace(deadline) == Some(deadline) {
                break;
            }
            this.timer.reset(sleep, deadline);
        }
        // A wait that is over must not be polled again.
        this.sleep.set(None);
        this.at.take();
        Poll::Ready(())
    }
}

impl<T: Timer> fmt::Debug for Alarm<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Alarm")
            .field("at", &self.at)
            .finish_non_exhaustive()
    }
}
