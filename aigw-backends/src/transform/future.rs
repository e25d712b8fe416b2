use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
};

use aigw_core::reject;
use http::Response;
use pin_project::pin_project;

use super::headers;

/// The answer of a [`Transform`](super::Transform). Dropping it cancels the call below.
#[pin_project]
#[must_use = "futures do nothing unless polled"]
pub struct ResponseFuture<F, B> {
    #[pin]
    inner: reject::ResponseFuture<F, B>,
}

impl<F, B> ResponseFuture<F, B> {
    pub(super) fn calling(inner: F) -> Self {
        Self {
            inner: reject::ResponseFuture::calling(inner),
        }
    }

    pub(super) fn refused(answer: Response<reject::Body<B>>) -> Self {
        Self {
            inner: reject::ResponseFuture::refused(answer),
        }
    }
}

impl<F, B, E> Future for ResponseFuture<F, B>
where
    F: Future<Output = Result<Response<B>, E>>,
{
    type Output = Result<Response<reject::Body<B>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut answer = ready!(self.project().inner.poll(cx))?;
        if !answer.body().is_refused() {
            headers::prepare_answer(answer.headers_mut());
        }
        Poll::Ready(Ok(answer))
    }
}

impl<F, B> fmt::Debug for ResponseFuture<F, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}
