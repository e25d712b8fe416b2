use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
    time::{Instant, SystemTime},
};

use pin_project::pin_project;

use super::{Clock, Offload, OffloadError, Spawn, Timer};

/// Clock, timer, spawner and offloading on the tokio runtime that polls the caller.
///
/// # Panics
///
/// Sleeping and offloading panic outside a tokio runtime, as tokio itself does. Spawning does not,
/// for it is done in `Drop` as well: outside a runtime the task is dropped.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tokio;

impl Clock for Tokio {
    fn now(&self) -> Instant {
        ::tokio::time::Instant::now().into_std()
    }

    fn wall(&self) -> SystemTime {
        SystemTime::now()
    }
}

impl Timer for Tokio {
    type Sleep = TokioSleep;

    fn sleep_until(&self, deadline: Instant) -> TokioSleep {
        TokioSleep(::tokio::time::sleep_until(deadline.into()))
    }

    fn reset(&self, sleep: Pin<&mut TokioSleep>, deadline: Instant) {
        sleep.project().0.reset(deadline.into());
    }
}

impl Spawn for Tokio {
    fn spawn<F>(&self, task: F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        if let Ok(runtime) = ::tokio::runtime::Handle::try_current() {
            runtime.spawn(task);
        }
    }
}

impl Offload for Tokio {
    type Offloaded<T: Send + 'static> = TokioOffload<T>;

    fn offload<F, T>(&self, work: F) -> TokioOffload<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        TokioOffload(::tokio::task::spawn_blocking(work))
    }
}

/// The wait of a [`Tokio`] timer.
#[pin_project]
#[derive(Debug)]
#[must_use = "futures do nothing unless polled"]
pub struct TokioSleep(#[pin] ::tokio::time::Sleep);

impl Future for TokioSleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.project().0.poll(cx)
    }
}

/// Work on tokio's blocking pool.
#[pin_project]
#[must_use = "futures do nothing unless polled"]
pub struct TokioOffload<T>(#[pin] ::tokio::task::JoinHandle<T>);

impl<T> Future for TokioOffload<T> {
    type Output = Result<T, OffloadError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Poll::Ready(ready!(self.project().0.poll(cx)).map_err(|_| OffloadError))
    }
}

impl<T> fmt::Debug for TokioOffload<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokioOffload").finish_non_exhaustive()
    }
}
