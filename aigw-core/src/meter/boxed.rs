use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use super::{Ending, Meter, Metered};
use crate::BoxError;

/// A [`Metered`] body of some type, for whoever prefers one box to a long type.
///
/// One layer of boxing costs an allocation for each answer and an indirect call for each frame; no
/// layer of ours asks for it.
///
/// # Examples
///
/// ```
/// use aigw_core::{meter::{BoxMetered, Metered}, reject::Body};
///
/// let refused: Body<BoxMetered> = Body::refused("no".into());
/// let boxed: BoxMetered = BoxMetered::new(refused);
/// assert!(boxed.meter().usage().is_empty());
/// ```
pub struct BoxMetered<E = BoxError> {
    inner: Pin<Box<dyn Metered<Data = Bytes, Error = E> + Send>>,
}

impl<E> BoxMetered<E> {
    /// Boxes a body.
    pub fn new<B>(body: B) -> Self
    where
        B: Metered<Error = E> + Send + 'static,
    {
        Self {
            inner: Box::pin(body),
        }
    }
}

impl<E> Body for BoxMetered<E> {
    type Data = Bytes;
    type Error = E;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, E>>> {
        self.inner.as_mut().poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

impl<E> Metered for BoxMetered<E> {
    fn meter(&self) -> &Meter {
        self.inner.meter()
    }

    fn ending(&self) -> Ending {
        self.inner.ending()
    }
}

impl<E> fmt::Debug for BoxMetered<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BoxMetered")
            .field("meter", self.meter())
            .finish_non_exhaustive()
    }
}
