use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
};

use aigw_core::meter::{Ending, Meter, Metered};
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use pin_project::pin_project;

use super::places::Place;

/// Passes an answer on and gives its call's place back when it is over.
///
/// It is [`Metered`] where the inner body is.
#[pin_project]
pub struct ResponseBody<B> {
    /// Above the place, so that it is dropped first: who is let in next finds the provider free.
    #[pin]
    inner: B,
    /// `None` once it is given back, and for a call that is not limited.
    place: Option<Place>,
}

impl<B: Body> ResponseBody<B> {
    pub(super) fn new(inner: B, place: Option<Place>) -> Self {
        let place = place.filter(|_| !inner.is_end_stream());
        Self { inner, place }
    }
}

impl<B: Body<Data = Bytes>> Body for ResponseBody<B> {
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
            *this.place = None;
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

impl<B: Metered> Metered for ResponseBody<B> {
    fn meter(&self) -> &Meter {
        self.inner.meter()
    }

    fn ending(&self) -> Ending {
        self.inner.ending()
    }
}

impl<B> fmt::Debug for ResponseBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseBody")
            .field("place", &self.place)
            .finish_non_exhaustive()
    }
}
