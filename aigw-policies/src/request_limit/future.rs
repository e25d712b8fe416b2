use std::{
    fmt,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use aigw_core::{
    call::{Call, HasCall},
    reject::{self, Refusal},
};
use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use pin_project::pin_project;
use tower_service::Service;

use super::limiter::{Limiter, Passed};
use crate::budget::Store;

/// The answer of a [`RequestLimit`](super::RequestLimit).
///
/// # Cancel safety
///
/// Dropped while a store decides, the request does not count. Dropped afterwards it does.
#[pin_project]
#[must_use = "futures do nothing unless polled"]
pub struct ResponseFuture<S, ReqBody, St>
where
    S: Service<Request<ReqBody>>,
    St: Store,
{
    #[pin]
    state: State<S, ReqBody, St>,
    limiter: Arc<Limiter<St>>,
}

#[pin_project(project = StateProj)]
enum State<S, ReqBody, St>
where
    S: Service<Request<ReqBody>>,
    St: Store,
{
    Asking {
        #[pin]
        reserving: St::Reserving,
        /// `None` once there was a verdict.
        asked: Option<(S, Request<ReqBody>)>,
    },
    Calling {
        #[pin]
        future: S::Future,
        passed: Passed,
    },
    /// `None` once it has been told.
    Refused(Option<Box<(Arc<Call>, Refusal)>>),
}

impl<S, ReqBody, St> ResponseFuture<S, ReqBody, St>
where
    S: Service<Request<ReqBody>>,
    St: Store,
{
    pub(super) fn calling(limiter: Arc<Limiter<St>>, passed: Passed, future: S::Future) -> Self {
        let state = State::Calling { future, passed };
        Self { state, limiter }
    }

    pub(super) fn asking(
        limiter: Arc<Limiter<St>>,
        reserving: St::Reserving,
        inner: S,
        request: Request<ReqBody>,
    ) -> Self {
        let asked = Some((inner, request));
        let state = State::Asking { reserving, asked };
        Self { state, limiter }
    }

    pub(super) fn refused(limiter: Arc<Limiter<St>>, call: Arc<Call>, refusal: Refusal) -> Self {
        let state = State::Refused(Some(Box::new((call, refusal))));
        Self { state, limiter }
    }
}

impl<S, ReqBody, St, ResBody> Future for ResponseFuture<S, ReqBody, St>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
    St: Store,
    ReqBody: HasCall,
    ResBody: Body<Data = Bytes>,
{
    type Output = Result<Response<reject::Body<ResBody>>, S::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        loop {
            let next = match this.state.as_mut().project() {
                StateProj::Asking { reserving, asked } => {
                    let verdict = ready!(reserving.poll(cx));
                    let Some((mut inner, request)) = asked.take() else {
                        return Poll::Pending;
                    };
                    match this.limiter.conclude(verdict) {
                        Ok(passed) => State::Calling {
                            future: inner.call(request),
                            passed,
                        },
                        Err(refusal) => {
                            let call = Arc::clone(request.body().call());
                            State::Refused(Some(Box::new((call, refusal))))
                        }
                    }
                }
                StateProj::Calling { future, passed } => {
                    let (mut head, body) = ready!(future.poll(cx))?.into_parts();
                    this.limiter.tell(*passed, &mut head);
                    let answer = Response::from_parts(head, body);
                    return Poll::Ready(Ok(reject::passed(answer)));
                }
                StateProj::Refused(refused) => {
                    let Some((call, refusal)) = refused.take().map(|refused| *refused) else {
                        return Poll::Pending;
                    };
                    return Poll::Ready(Ok(this.limiter.refuse(&call, refusal)));
                }
            };
            this.state.set(next);
        }
    }
}

impl<S, ReqBody, St> fmt::Debug for ResponseFuture<S, ReqBody, St>
where
    S: Service<Request<ReqBody>>,
    St: Store,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}
