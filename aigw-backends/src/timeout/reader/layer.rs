use std::{
    task::{Context, Poll},
    time::Duration,
};

use aigw_core::{
    BoxError,
    rt::{Spawn, Timer},
};
use bytes::Bytes;
use http::{Request, Response, Version};
use http_body::Body;
use tower_layer::Layer;
use tower_service::Service;

use super::{ReaderBody, ReaderFuture};

/// Gives up on readers of HTTP/2 that take nothing. See the [module](super).
#[derive(Clone, Copy, Debug)]
#[must_use]
pub struct ReaderTimeoutLayer<R> {
    timeout: Duration,
    runtime: R,
}

impl<R> ReaderTimeoutLayer<R> {
    /// Drops an answer whose next frame nobody has asked for in `timeout`. Less than a millisecond
    /// counts as one.
    pub fn new(timeout: Duration, runtime: R) -> Self {
        Self { timeout, runtime }
    }
}

impl<S, R: Clone> Layer<S> for ReaderTimeoutLayer<R> {
    type Service = ReaderTimeout<S, R>;

    fn layer(&self, inner: S) -> Self::Service {
        ReaderTimeout {
            inner,
            timeout: self.timeout,
            runtime: self.runtime.clone(),
        }
    }
}

/// Gives up on readers that take nothing; made by [`ReaderTimeoutLayer`].
///
/// # Readiness
///
/// The inner service's.
#[derive(Clone, Copy, Debug)]
pub struct ReaderTimeout<S, R> {
    inner: S,
    timeout: Duration,
    runtime: R,
}

impl<S, R, ReqBody, ResBody> Service<Request<ReqBody>> for ReaderTimeout<S, R>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
    ResBody: Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
    R: Spawn + Timer,
{
    type Response = Response<ReaderBody<ResBody, R>>;
    type Error = S::Error;
    type Future = ReaderFuture<S::Future, R>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<ReqBody>) -> Self::Future {
        let watched = request.version() == Version::HTTP_2;
        let watch = watched.then(|| (self.timeout, self.runtime.clone()));
        ReaderFuture::new(self.inner.call(request), watch)
    }
}
