use std::{
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use aigw_core::{
    BoxError,
    rt::{Spawn, Timer},
};
use bytes::Bytes;
use http::Response;
use http_body::Body;
use pin_project::pin_project;

use super::ReaderBody;

/// The answer of a [`ReaderTimeout`](super::ReaderTimeout). Dropping it cancels the call below.
#[pin_project]
#[derive(Debug)]
#[must_use = "futures do nothing unless polled"]
pub struct ReaderFuture<F, R> {
    #[pin]
    inner: F,
    /// Absent where the connection's own timeout sees the reader.
    watch: Option<(Duration, R)>,
}

impl<F, R> ReaderFuture<F, R> {
    pub(super) fn new(inner: F, watch: Option<(Duration, R)>) -> Self {
        Self { inner, watch }
    }
}

impl<F, R, B, E> Future for ReaderFuture<F, R>
where
    F: Future<Output = Result<Response<B>, E>>,
    B: Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
    R: Spawn + Timer,
{
    type Output = Result<Response<ReaderBody<B, R>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let answer = ready!(this.inner.poll(cx))?;
        Poll::Ready(Ok(answer.map(|body| match this.watch.take() {
            Some((timeout, runtime)) if !body.is_end_stream() => {
                ReaderBody::watched(body, timeout, runtime)
            }
            _ => ReaderBody::unwatched(body),
        })))
    }
}
