use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll, ready},
};

use aigw_core::{
    BoxError,
    dialect::Dialect,
    outcome::Fault,
    reject::{self, Refuser},
};
use http::Response;
use pin_project::pin_project;

use super::body::{Diagnose, ResponseBody};

/// The answer of a [`Leaf`](super::Leaf). Dropping it cancels the call below.
#[pin_project]
#[derive(Debug)]
#[must_use = "futures do nothing unless polled"]
pub struct ResponseFuture<F> {
    #[pin]
    state: State<F>,
    dialect: Dialect,
    refuser: Refuser,
}

#[pin_project(project = StateProj)]
#[derive(Debug)]
enum State<F> {
    Calling {
        #[pin]
        inner: F,
        diagnose: Diagnose,
    },
    /// The service below had failed before the call.
    Failed(Fault),
}

impl<F> ResponseFuture<F> {
    pub(super) fn calling(
        inner: F,
        diagnose: Diagnose,
        dialect: Dialect,
        refuser: Refuser,
    ) -> Self {
        Self {
            state: State::Calling { inner, diagnose },
            dialect,
            refuser,
        }
    }

    pub(super) fn failed(fault: Fault, dialect: Dialect, refuser: Refuser) -> Self {
        Self {
            state: State::Failed(fault),
            dialect,
            refuser,
        }
    }
}

impl<F, B, E> Future for ResponseFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
    E: Into<BoxError>,
{
    type Output = Result<Response<reject::Body<ResponseBody<B>>>, Infallible>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let answer = match this.state.project() {
            StateProj::Failed(fault) => this.refuser.fault(*this.dialect, *fault),
            StateProj::Calling { inner, diagnose } => match ready!(inner.poll(cx)) {
                Ok(answer) => reject::passed(answer.map(|body| ResponseBody::new(body, *diagnose))),
                Err(error) => this.refuser.fault(*this.dialect, diagnose(&*error.into())),
            },
        };
        Poll::Ready(Ok(answer))
    }
}
