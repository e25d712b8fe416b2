use std::task::{Context, Poll};

use aigw_core::meter::Metered;
use http::{HeaderName, Request, Response};
use tower_layer::Layer;
use tower_service::Service;

use super::{ResponseBody, ResponseFuture};

/// Tells in a header how many tokens a call has used. See the [module](super).
#[derive(Clone, Debug)]
#[must_use]
pub struct ConsumedLayer {
    header: HeaderName,
}

impl ConsumedLayer {
    /// The greatest document whose head waits for its end, in bytes: 1 MiB.
    pub const MOST: usize = 1 << 20;

    /// Tells it in this header, in place of any other of the same name.
    pub fn new(header: HeaderName) -> Self {
        Self { header }
    }
}

impl<S> Layer<S> for ConsumedLayer {
    type Service = Consumed<S>;

    fn layer(&self, inner: S) -> Consumed<S> {
        let header = self.header.clone();
        Consumed { inner, header }
    }
}

/// Tells how many tokens a call has used; made by [`ConsumedLayer`].
///
/// # Readiness
///
/// Ready when the inner service is.
#[derive(Clone, Debug)]
pub struct Consumed<S> {
    inner: S,
    header: HeaderName,
}

impl<S, ReqBody, ResBody> Service<Request<ReqBody>> for Consumed<S>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
    ResBody: Metered,
{
    type Response = Response<ResponseBody<ResBody>>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future, ResBody>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<ReqBody>) -> Self::Future {
        ResponseFuture::new(self.inner.call(request), self.header.clone())
    }
}
