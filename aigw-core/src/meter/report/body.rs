use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use pin_project::{pin_project, pinned_drop};

use super::{Report, guard::Guard};
use crate::meter::{Ending, Meter, Metered};

/// Passes an answer on and reports when it is over.
///
/// The bounds stand on the struct because its `Drop` reads the meter.
#[pin_project(PinnedDrop)]
pub struct ResponseBody<B: Metered, R: Report> {
    #[pin]
    inner: B,
    guard: Guard<R>,
}

impl<B: Metered, R: Report> ResponseBody<B, R> {
    pub(super) fn new(inner: B, mut guard: Guard<R>) -> Self {
        if inner.is_end_stream() {
            guard.end(inner.meter(), inner.ending());
        }
        Self { inner, guard }
    }
}

impl<B: Metered, R: Report> Body for ResponseBody<B, R> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let mut this = self.project();
        let frame = ready!(this.inner.as_mut().poll_frame(cx));
        // A server that has sent the announced length does not poll again.
        if !matches!(frame, Some(Ok(_))) || this.inner.is_end_stream() {
            this.guard.end(this.inner.meter(), this.inner.ending());
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

impl<B: Metered, R: Report> Metered for ResponseBody<B, R> {
    fn meter(&self) -> &Meter {
        self.inner.meter()
    }

    fn ending(&self) -> Ending {
        self.inner.ending()
    }
}

#[pinned_drop]
impl<B: Metered, R: Report> PinnedDrop for ResponseBody<B, R> {
    fn drop(self: Pin<&mut Self>) {
        let this = self.project();
        this.guard.end(this.inner.meter(), this.inner.ending());
    }
}

impl<B: Metered, R: Report> fmt::Debug for ResponseBody<B, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseBody")
            .field("meter", self.inner.meter())
            .finish_non_exhaustive()
    }
}
