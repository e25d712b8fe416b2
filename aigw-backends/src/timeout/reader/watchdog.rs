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
            timeout,
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
            let idle = {
                let mut slot = this.shared.lock();
                if slot.body.is_none() {
                    return Poll::Ready(());
                }
                slot.watchdog = Some(cx.waker().clone());
                slot.idle
            };
            // A reader that begins to idle now cannot be late before a whole timeout is over.
            let Some(deadline) = idle.unwrap_or(now).checked_add(*this.timeout) else {
                return Poll::Pending;
            };
            if idle.is_some() && deadline <= now {
                this.shared.close();
                return Poll::Ready(());
            }
            ready!(this.alarm.as_mut().poll(cx, deadline));
        }
    }
}
