use std::{
    fmt, future,
    pin::Pin,
    task::{Context, Poll, ready},
};

use aigw_core::rt::{Spawn, Timer};
use http_body::{Body, Frame, SizeHint};

use super::rest::Drainer;

/// An answer that is read on when it is dropped before its end.
///
/// It is not [`Metered`](aigw_core::meter::Metered): what reads the meter stands below, where the
/// end is seen. The bounds stand on the struct because its `Drop` moves what is left into a task.
pub struct ResponseBody<B, R>
where
    B: Body + Send + 'static,
    R: Spawn + Timer,
{
    /// Boxed, so that it can be moved into a task. `None` only while it is being dropped.
    inner: Option<Pin<Box<B>>>,
    /// Whether it has ended, in order or with an error.
    ended: bool,
    drainer: Drainer<R>,
}

impl<B, R> ResponseBody<B, R>
where
    B: Body + Send + 'static,
    R: Spawn + Timer,
{
    pub(super) fn new(inner: B, drainer: Drainer<R>) -> Self {
        Self {
            inner: Some(Box::pin(inner)),
            ended: false,
            drainer,
        }
    }
}

impl<B, R> Body for ResponseBody<B, R>
where
    B: Body + Send + 'static,
    R: Spawn + Timer,
{
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let frame = match &mut self.inner {
            Some(inner) => ready!(inner.as_mut().poll_frame(cx)),
            None => None,
        };
        if !matches!(frame, Some(Ok(_))) {
            self.ended = true;
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.inner
            .as_ref()
            .is_none_or(|inner| inner.is_end_stream())
    }

    fn size_hint(&self) -> SizeHint {
        let inner = self.inner.as_ref();
        inner.map_or_else(|| SizeHint::with_exact(0), |inner| inner.size_hint())
    }
}

impl<B, R> Drop for ResponseBody<B, R>
where
    B: Body + Send + 'static,
    R: Spawn + Timer,
{
    fn drop(&mut self) {
        let rest = self.inner.take();
        if let Some(rest) = rest.filter(|rest| !self.ended && !rest.is_end_stream()) {
            self.drainer.read_on(future::ready(Some(rest)));
        }
    }
}

impl<B, R> fmt::Debug for ResponseBody<B, R>
where
    B: Body + Send + 'static,
    R: Spawn + Timer,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseBody")
            .field("ended", &self.ended)
            .finish_non_exhaustive()
    }
}
