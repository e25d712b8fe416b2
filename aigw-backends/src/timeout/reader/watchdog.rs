use std::{
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker, ready},
    time::{Duration, Instant},
};

use aigw_core::rt::{Clock, Timer};
use pin_project::pin_project;

use crate::timeout::alarm::Alarm;

/// A body that its reader and a watchdog share.
pub(super) struct Shared<B>(Mutex<Slot<B>>);

struct Slot<B> {
    /// `None` once it is over, for whichever reason.
    body: Option<Pin<Box<B>>>,
    /// Since when the reader has had a frame and asked for no other.
    idle: Option<Instant>,
    watchdog: Option<Waker>,
}

impl<B> Shared<B> {
    pub(super) fn new(body: B, now: Instant) -> Self {
        Self(Mutex::new(Slot {
            body: Some(Box::pin(body)),
            idle: Some(now),
            watchdog: None,
        }))
    }

    /// Polls the body for its reader; `None` once it is gone.
    pub(super) fn poll<T>(
        &self,
        poll: impl FnOnce(Pin<&mut B>) -> Poll<T>,
        clock: &impl Clock,
    ) -> Option<Poll<T>> {
        let mut slot = self.lock();
        let polled = poll(slot.body.as_mut()?.as_mut());
        // While the provider is waited for, the reader is not.
        slot.idle = polled.is_ready().then(|| clock.now());
        Some(polled)
    }

    /// Asks the body something; `None` once it is gone.
    pub(super) fn look<T>(&self, look: impl FnOnce(&B) -> T) -> Option<T> {
        self.lock().body.as_deref().map(look)
    }

    /// Drops the body and lets the watchdog go.
    pub(super) fn close(&self) {
        let (body, watchdog) = {
            let mut slot = self.lock();
            (slot.body.take(), slot.watchdog.take())
        };
        // Outside the lock: what is dropped here may settle accounts of its own.
        drop(body);
        if let Some(watchdog) = watchdog {
            watchdog.wake();
        }
    }

    /// Drops the body if its reader has been idle until `now` for `timeout`. Else answers when to
    /// look again, and lets `watchdog` know if the body ends before; `None` once it is gone.
    ///
    /// One look under one lock: a reader that has asked again in time waits for this body to wake
    /// it, and would wait for ever if it were dropped on an older look.
    fn expire(&self, now: Instant, timeout: Duration, watchdog: &Waker) -> Option<Instant> {
        let late = {
            let mut slot = self.lock();
            slot.body.as_ref()?;
            // A reader that begins to idle now cannot be late before a whole timeout is over; one
            // beyond the clock's range is looked at again after an hour.
            let deadline = slot.idle.unwrap_or(now).checked_add(timeout);
            let deadline = deadline.unwrap_or_else(|| now + FAR);
            if slot.idle.is_none() || deadline > now {
                slot.watchdog = Some(watchdog.clone());
                return Some(deadline);
            }
            slot.body.take()
        };
        drop(late);
        None
    }

    fn lock(&self) -> MutexGuard<'_, Slot<B>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Drops a body that nobody asks for its next frame. Ends with the body.
#[pin_project]
pub(super) struct Watchdog<B, T: Timer> {
    shared: Arc<Shared<B>>,
    timeout: Duration,
    #[pin]
    alarm: Alarm<T>,
}

impl<B, T: Timer> Watchdog<B, T> {
    pub(super) fn new(shared: Arc<Shared<B>>, timeout: Duration, timer: T) -> Self {
        Self {
            shared,
            timeout: timeout.max(SHORTEST),
            alarm: Alarm::new(timer),
        }
    }
}

impl<B, T: Timer> Future for Watchdog<B, T> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut this = self.project();
        loop {
            let now = this.alarm.now();
            let Some(deadline) = this.shared.expire(now, *this.timeout, cx.waker()) else {
                return Poll::Ready(());
            };
            ready!(this.alarm.as_mut().poll(cx, deadline));
        }
    }
}

/// The shortest timeout: without one, a body that waits for its provider would be looked at without
/// a pause.
const SHORTEST: Duration = Duration::from_millis(1);

/// When a body is looked at again whose timeout never ends.
const FAR: Duration = Duration::from_secs(3600);

#[cfg(test)]
mod tests {
    use aigw_core::rt::SystemClock;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_reader_that_has_asked_again_keeps_its_body() {
        let start = Instant::now();
        let shared = Shared::new((), start);
        let expire = |now| shared.expire(now, SECOND, Waker::noop());
        assert_eq!(expire(start), Some(start + SECOND));
        // The provider has nothing yet: from here on nobody but the provider is late.
        assert!(shared.poll(|_| Poll::<()>::Pending, &SystemClock).is_some());
        let late = start + SECOND * 2;
        assert_eq!(expire(late), Some(late + SECOND));
        assert!(shared.look(|()| ()).is_some());
    }

    #[test]
    fn a_reader_that_idles_loses_its_body_once() {
        let start = Instant::now();
        let shared = Shared::new((), start);
        assert_eq!(shared.expire(start + SECOND, SECOND, Waker::noop()), None);
        assert!(shared.look(|()| ()).is_none());
        assert_eq!(shared.expire(start, SECOND, Waker::noop()), None);
    }
}
