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
    state: State<F, B>,
}

#[pin_project(project = StateProj)]
enum State<F, B> {
    Calling(#[pin] F),
    /// `None` once it has been given.
    Refused(Option<Response<reject::Body<B>>>),
}

impl<F, B> ResponseFuture<F, B> {
    pub(super) fn calling(inner: F) -> Self {
        Self {
            state: State::Calling(inner),
        }
    }

    pub(super) fn refused(answer: Response<reject::Body<B>>) -> Self {
        Self {
            state: State::Refused(Some(answer)),
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
            StateProj::Calling(inner) => {
                let answer = ready!(inner.poll(cx)).map(|mut answer| {
                    headers::prepare_answer(answer.headers_mut());
                    reject::passed(answer)
                });
                Poll::Ready(answer)
            }
            StateProj::Refused(answer) => answer
                .take()
                .map_or(Poll::Pending, |answer| Poll::Ready(Ok(answer))),
        }
    }
}

impl<F, B> fmt::Debug for ResponseFuture<F, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}
