use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
};

use aigw_core::{
    meter::{Ending, Meter, Metered},
    reject,
};
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use pin_project::{pin_project, pinned_drop};

use super::guard::Guard;
use crate::budget::Store;

/// Passes an answer on, and settles its call when it ends, fails or is dropped, whichever is first;
/// or the refusal of one.
///
/// The bounds stand on the struct because its `Drop` settles.
#[pin_project(PinnedDrop)]
pub struct ResponseBody<B: Metered, St: Store> {
    #[pin]
    inner: reject::Body<B>,
    /// `None` where nothing is held.
    guard: Option<Guard<St>>,
}

impl<B: Metered, St: Store> ResponseBody<B, St> {
    pub(super) fn new(inner: reject::Body<B>, mut guard: Option<Guard<St>>) -> Self {
        if inner.is_end_stream()
            && let Some(mut guard) = guard.take()
        {
            guard.end(inner.meter(), inner.ending());
        }
        Self { inner, guard }
    }
}

impl<B: Metered, St: Store> Body for ResponseBody<B, St> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let mut this = self.project();
        let frame = ready!(this.inner.as_mut().poll_frame(cx));
        // A server that has sent the announced length does not poll again.
        let over = !matches!(frame, Some(Ok(_))) || this.inner.is_end_stream();
        if over {
            if let Some(mut guard) = this.guard.take() {
                guard.end(this.inner.meter(), this.inner.ending());
            }
        } else if let Some(guard) = this.guard {
            guard.progressed(this.inner.meter());
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

impl<B: Metered, St: Store> Metered for ResponseBody<B, St> {
    fn meter(&self) -> &Meter {
        self.inner.meter()
    }

    fn ending(&self) -> Ending {
        self.inner.ending()
    }
}

#[pinned_drop]
impl<B: Metered, St: Store> PinnedDrop for ResponseBody<B, St> {
    fn drop(self: Pin<&mut Self>) {
        let this = self.project();
        if let Some(mut guard) = this.guard.take() {
            guard.end(this.inner.meter(), this.inner.ending());
        }
    }
}

impl<B: Metered, St: Store> fmt::Debug for ResponseBody<B, St> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseBody")
            .field("meter", self.inner.meter())
            .finish_non_exhaustive()
    }
}
