use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
};

use aigw_core::reject;
use http::{Request, Response};
use pin_project::pin_project;
use tower_service::Service;

/// The answer of a [`Router`](super::Router). Dropping it cancels the call below.
#[pin_project]
#[must_use = "futures do nothing unless polled"]
pub struct ResponseFuture<S, ReqBody, ResBody>
where
    S: Service<Request<ReqBody>>,
{
    #[pin]
    state: State<S, S::Future, ReqBody, ResBody>,
}

// Each is `None` once it has been used.
#[pin_project(project = StateProj)]
enum State<S, F, ReqBody, ResBody> {
    Preparing {
        service: S,
        request: Option<Box<Request<ReqBody>>>,
    },
    Calling(#[pin] F),
    Refused(Option<Box<Response<reject::Body<ResBody>>>>),
}

impl<S, ReqBody, ResBody> ResponseFuture<S, ReqBody, ResBody>
where
    S: Service<Request<ReqBody>>,
{
    pub(super) fn calling(service: S, request: Request<ReqBody>) -> Self {
        Self {
            state: State::Preparing {
                service,
                request: Some(Box::new(request)),
            },
        }
    }

    pub(super) fn refused(answer: Response<reject::Body<ResBody>>) -> Self {
        Self {
            state: State::Refused(Some(Box::new(answer))),
        }
    }
}

impl<S, ReqBody, ResBody> Future for ResponseFuture<S, ReqBody, ResBody>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
{
    type Output = Result<Response<reject::Body<ResBody>>, S::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        loop {
            let calling = match this.state.as_mut().project() {
                StateProj::Preparing { service, request } => {
                    ready!(service.poll_ready(cx))?;
                    match request.take() {
                        Some(request) => service.call(*request),
                        None => return Poll::Pending,
                    }
                }
                StateProj::Calling(inner) => return inner.poll(cx).map_ok(reject::passed),
                StateProj::Refused(answer) => {
                    return match answer.take() {
                        Some(answer) => Poll::Ready(Ok(*answer)),
                        None => Poll::Pending,
                    };
                }
            };
            this.state.set(State::Calling(calling));
        }
    }
}

impl<S, ReqBody, ResBody> fmt::Debug for ResponseFuture<S, ReqBody, ResBody>
where
    S: Service<Request<ReqBody>>,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}
