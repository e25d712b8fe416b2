use std::task::{Context, Poll};

use aigw_core::rt::{Spawn, Timer};
use http::{Request, Response};
use http_body::Body;
use tower_service::Service;

use super::{ResponseBody, ResponseFuture, rest::Drainer};

/// Reads answers to their end when their callers have hung up. See the [module](super).
///
/// # Readiness
///
/// That of the inner service.
#[derive(Clone, Debug)]
pub struct Drain<S, R> {
    inner: S,
    drainer: Drainer<R>,
}

impl<S, R> Drain<S, R> {
    pub(super) fn new(inner: S, drainer: Drainer<R>) -> Self {
        Self { inner, drainer }
    }
}

impl<S, R, ReqBody, ResBody> Service<Request<ReqBody>> for Drain<S, R>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
    S::Future: Send + 'static,
    S::Error: 'static,
    R: Spawn + Timer,
    ResBody: Body + Send + 'static,
{
    type Response = Response<ResponseBody<ResBody, R>>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future, R, ResBody, S::Error>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<ReqBody>) -> Self::Future {
        ResponseFuture::new(self.inner.call(request), self.drainer.clone())
    }
}
