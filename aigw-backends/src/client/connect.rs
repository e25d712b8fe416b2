use std::{
    error::Error,
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use aigw_core::BoxError;
use http::Uri;
use pin_project::pin_project;
use tower_service::Service;

/// Bounds how long a connector may take, TLS included where the connector does it.
#[derive(Clone, Debug)]
pub(super) struct Connect<C> {
    inner: C,
    timeout: Option<Duration>,
}

impl<C> Connect<C> {
    pub(super) fn new(inner: C, timeout: Option<Duration>) -> Self {
        Self { inner, timeout }
    }
}

impl<C> Service<Uri> for Connect<C>
where
    C: Service<Uri>,
    C::Error: Into<BoxError>,
{
    type Response = C::Response;
    type Error = BoxError;
    type Future = Connecting<C::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        Connecting {
            inner: self.inner.call(uri),
            timeout: self
                .timeout
                .map(|timeout| Box::pin(tokio::time::sleep(timeout))),
        }
    }
}

/// A connection that is coming about.
#[pin_project]
#[derive(Debug)]
pub(super) struct Connecting<F> {
    #[pin]
    inner: F,
    /// Boxed, because the pool wants futures that can be moved.
    timeout: Option<Pin<Box<tokio::time::Sleep>>>,
}

impl<F, T, E> Future for Connecting<F>
where
    F: Future<Output = Result<T, E>>,
    E: Into<BoxError>,
{
    type Output = Result<T, BoxError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        if let Poll::Ready(connection) = this.inner.poll(cx) {
            return Poll::Ready(connection.map_err(Into::into));
        }
        match this.timeout {
            None => Poll::Pending,
            Some(timeout) => {
                ready!(timeout.as_mut().poll(cx));
                Poll::Ready(Err(TooSlow.into()))
            }
        }
    }
}

/// The connection took too long.
#[derive(Debug)]
pub(super) struct TooSlow;

impl fmt::Display for TooSlow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the connection took too long")
    }
}

impl Error for TooSlow {}
