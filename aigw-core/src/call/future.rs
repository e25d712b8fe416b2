use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use pin_project::pin_project;
use tower_service::Service;

use super::{
    CallBody,
    preparing::{Prepared, Preparing},
};
use crate::{reject, rt::Timer};

/// The answer to a call whose body is read first.
///
/// # Cancel safety
///
/// Dropping it gives up the request body or the inner call, whichever is under way, and all
/// buffered bytes.
#[pin_project]
#[must_use = "futures do nothing unless polled"]
pub struct ResponseFuture<S, B, T>
where
    S: Service<Request<CallBody<B>>>,
    B: Body,
    T: Timer,
{
    #[pin]
    state: State<S, B, T>,
}

/// One after the other in the same place: servers keep the room of a future for as long as its
/// answer streams.
#[expect(
    clippy::large_enum_variant,
    reason = "the smaller one is the inner future, whose size is not known here"
)]
#[pin_project(project = StateProj)]
enum State<S, B, T>
where
    S: Service<Request<CallBody<B>>>,
    B: Body,
    T: Timer,
{
    Preparing(#[pin] Preparing<S, B, T>),
    Calling(#[pin] S::Future),
}

impl<S, B, T> ResponseFuture<S, B, T>
where
    S: Service<Request<CallBody<B>>>,
    B: Body,
    T: Timer,
{
    pub(super) fn new(preparing: Preparing<S, B, T>) -> Self {
        Self {
            state: State::Preparing(preparing),
        }
    }
}

impl<S, B, T, ResBody> Future for ResponseFuture<S, B, T>
where
    S: Service<Request<CallBody<B>>, Response = Response<ResBody>>,
    B: Body,
    ResBody: Body<Data = Bytes>,
    T: Timer,
{
    type Output = Result<Response<reject::Body<ResBody>>, S::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        loop {
            match this.state.as_mut().project() {
                StateProj::Preparing(preparing) => match ready!(preparing.poll(cx))? {
                    Prepared::Called(future) => this.state.set(State::Calling(future)),
                    Prepared::Refused(refused) => {
                        let (head, refusal) = *refused;
                        return Poll::Ready(Ok(head.refuse(refusal)));
                    }
                },
                StateProj::Calling(future) => {
                    return Poll::Ready(Ok(reject::passed(ready!(future.poll(cx))?)));
                }
            }
        }
    }
}

impl<S, B, T> fmt::Debug for ResponseFuture<S, B, T>
where
    S: Service<Request<CallBody<B>>>,
    B: Body,
    T: Timer,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}
