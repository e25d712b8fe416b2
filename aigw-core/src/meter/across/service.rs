use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http::Response;
use http_body::Body;
use pin_project::pin_project;
use tower_service::Service;

use super::{AcrossBody, CarryBody};
use crate::meter::Metered;

/// Stands inside the foreign layer and takes the meter off the body.
#[derive(Clone, Debug)]
pub struct Carry<S> {
    inner: S,
}

/// Stands outside the foreign layer and puts the meter on again; made by [`Across`](super::Across).
#[derive(Clone, Debug)]
pub struct AcrossService<S> {
    inner: S,
}

/// The answer of a [`Carry`].
#[pin_project]
#[derive(Debug)]
#[must_use = "futures do nothing unless polled"]
pub struct CarryFuture<F>(#[pin] F);

/// The answer of an [`AcrossService`].
#[pin_project]
#[derive(Debug)]
#[must_use = "futures do nothing unless polled"]
pub struct AcrossFuture<F>(#[pin] F);

impl<S> Carry<S> {
    pub(super) fn new(inner: S) -> Self {
        Self { inner }
    }
}

impl<S> AcrossService<S> {
    pub(super) fn new(inner: S) -> Self {
        Self { inner }
    }
}

impl<S, R, B> Service<R> for Carry<S>
where
    S: Service<R, Response = Response<B>>,
    B: Metered,
{
    type Response = Response<CarryBody<B>>;
    type Error = S::Error;
    type Future = CarryFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: R) -> Self::Future {
        CarryFuture(self.inner.call(request))
    }
}

impl<S, R, B> Service<R> for AcrossService<S>
where
    S: Service<R, Response = Response<B>>,
    B: Body<Data = Bytes>,
{
    type Response = Response<AcrossBody<B>>;
    type Error = S::Error;
    type Future = AcrossFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: R) -> Self::Future {
        AcrossFuture(self.inner.call(request))
    }
}

impl<F, B, E> Future for CarryFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
    B: Metered,
{
    type Output = Result<Response<CarryBody<B>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let (mut head, body) = ready!(self.project().0.poll(cx))?.into_parts();
        let body = CarryBody::new(body, &mut head.extensions);
        Poll::Ready(Ok(Response::from_parts(head, body)))
    }
}

impl<F, B, E> Future for AcrossFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
    B: Body<Data = Bytes>,
{
    type Output = Result<Response<AcrossBody<B>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let (mut head, body) = ready!(self.project().0.poll(cx))?.into_parts();
        let body = AcrossBody::new(body, &mut head.extensions);
        Poll::Ready(Ok(Response::from_parts(head, body)))
    }
}
