use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll},
};

use aigw_core::reject;
use http::Response;
use pin_project::pin_project;

/// The answer of an [`Authenticate`](super::Authenticate).
///
/// # Cancel safety
///
/// Dropping it cancels the call below.
#[pin_project]
#[must_use = "futures do nothing unless polled"]
pub struct ResponseFuture<F, B> {
    #[pin]
    state: State<F, B>,
}

#[pin_project(project = StateProj)]
enum State<F, B> {
    Calling(#[pin] F),
    /// Boxed, for its room would otherwise stand in every call. `None` once it has been given.
    Refused(Option<Box<Response<reject::Body<B>>>>),
}

impl<F, B> ResponseFuture<F, B> {
    pub(super) fn calling(inner: F) -> Self {
        Self {
            state: State::Calling(inner),
        }
    }

    pub(super) fn refused(answer: Response<reject::Body<B>>) -> Self {
        Self {
            state: State::Refused(Some(Box::new(answer))),
        }
    }
}

impl<F, B, E> Future for ResponseFuture<F, B>
where
    F: Future<Output = Result<Response<B>, E>>,
{
    type Output = Result<Response<reject::Body<B>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().state.project() {
            StateProj::Calling(inner) => inner.poll(cx).map_ok(reject::passed),
            StateProj::Refused(answer) => match answer.take() {
                Some(answer) => Poll::Ready(Ok(*answer)),
                None => Poll::Pending,
            },
        }
    }
}

impl<F, B> fmt::Debug for ResponseFuture<F, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}
