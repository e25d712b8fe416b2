use std::{
    fmt,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use aigw_core::{
    BoxError,
    outcome::{Fault, FaultKind},
    rt::{Clock, Spawn, Timer},
};
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use pin_project::pin_project;

use super::watchdog::{Shared, Watchdog};

/// An answer that is dropped when its reader takes nothing for too long.
///
/// Whoever reads on after that finds an error.
#[pin_project]
pub struct ReaderBody<B, C> {
    #[pin]
    state: State<B, C>,
}

#[pin_project(project = StateProj)]
enum State<B, C> {
    Unwatched(#[pin] B),
    Watched(Watched<B, C>),
}

/// The reader's hold on a body that it shares with a watchdog.
struct Watched<B, C> {
    shared: Arc<Shared<B>>,
    clock: C,
}

impl<B, C> ReaderBody<B, C> {
    pub(super) fn unwatched(body: B) -> Self {
        Self {
            state: State::Unwatched(body),
        }
    }

    pub(super) fn watched(body: B, timeout: Duration, runtime: C) -> Self
    where
        B: Send + 'static,
        C: Spawn + Timer,
    {
        let shared = Arc::new(Shared::new(body, runtime.now()));
        let watchdog = Watchdog::new(Arc::clone(&shared), timeout, runtime.clone());
        runtime.spawn(watchdog);
        let clock = runtime;
        Self {
            state: State::Watched(Watched { shared, clock }),
        }
    }
}

impl<B, C> Body for ReaderBody<B, C>
where
    B: Body<Data = Bytes, Error: Into<BoxError>>,
    C: Clock,
{
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match self.project().state.project() {
            StateProj::Unwatched(body) => body.poll_frame(cx).map_err(Into::into),
            StateProj::Watched(Watched { shared, clock }) => {
                match shared.poll(|body| body.poll_frame(cx), clock) {
                    Some(polled) => polled.map_err(Into::into),
                    None => Poll::Ready(Some(Err(Fault::dispatched(FaultKind::Other).into()))),
                }
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.state {
            State::Unwatched(body) => body.is_end_stream(),
            State::Watched(watched) => watched.shared.look(B::is_end_stream).unwrap_or(false),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.state {
            State::Unwatched(body) => body.size_hint(),
            State::Watched(watched) => watched.shared.look(B::size_hint).unwrap_or_default(),
        }
    }
}

impl<B, C> Drop for Watched<B, C> {
    fn drop(&mut self) {
        self.shared.close();
    }
}

impl<B, C> fmt::Debug for ReaderBody<B, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReaderBody").finish_non_exhaustive()
    }
}
