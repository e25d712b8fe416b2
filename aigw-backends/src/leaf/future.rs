use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll, ready},
};

use aigw_core::{BoxError, dialect::Dialect, outcome::Fault, reject};
use http::Response;
use pin_project::pin_project;

use super::body::{Diagnose, ResponseBody};
use crate::refuse::Refuse;

/// The answer of a [`Leaf`](super::Leaf). Dropping it cancels the call below.
#[pin_project]
#[derive(Debug)]
#[must_use = "futures do nothing unless polled"]
pub struct ResponseFuture<F> {
    #[pin]
    state: State<F>,
    dialect: Dialect,
    refuse: Refuse,
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
    pub(super) fn calling(inner: F, diagnose: Diagnose, dialect: Dialect, refuse: Refuse) -> Self {
        Self {
            state: State::Calling { inner, diagnose },
            dialect,
            refuse,
        }
    }

    pub(super) fn failed(fault: Fault, dialect: Dialect, refuse: Refuse) -> Self {
        Self {
            state: State::Failed(fault),
            dialect,
            refuse,
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
            StateProj::Failed(fault) => this.refuse.fault(*this.dialect, *fault),
            StateProj::Calling { inner, diagnose } => match ready!(inner.poll(cx)) {
                Ok(answer) => reject::passed(answer.map(|body| ResponseBody::new(body, *diagnose))),
                Err(error) => this.refuse.fault(*this.dialect, diagnose(&*error.into())),
            },
        };
        Poll::Ready(Ok(answer))
    }
}
