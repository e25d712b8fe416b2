use std::{
    sync::Arc,
    task::{Context, Poll},
};

use aigw_core::{call::HasCall, reject, rt::Timer};
use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use tower_service::Service;

use super::{ResponseBody, ResponseFuture, limit::Limit};

/// Admits so many calls at once; made by
/// [`ConcurrencyLimitLayer`](super::ConcurrencyLimitLayer).
///
/// # Readiness
///
/// Always ready: a fresh clone of the inner service is driven to readiness once the call has its
/// place. Whoever waits in the queue holds nothing of the services below, and whoever is refused
/// is refused at once, however busy they are. While the inner service is not ready the call holds
/// its place. Where processes share the places, it holds nothing below while Redis is asked.
#[derive(Clone, Debug)]
pub struct ConcurrencyLimit<S, T> {
    inner: S,
    limit: Arc<Limit<T>>,
}

impl<S, T> ConcurrencyLimit<S, T> {
    pub(super) fn new(inner: S, limit: Arc<Limit<T>>) -> Self {
        Self { inner, limit }
    }
}

impl<S, T, ReqBody, ResBody> Service<Request<ReqBody>> for ConcurrencyLimit<S, T>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>> + Clone,
    T: Timer,
    ReqBody: HasCall,
    ResBody: Body<Data = Bytes>,
{
    type Response = Response<reject::Body<ResponseBody<ResBody>>>;
    type Error = S::Error;
    type Future = ResponseFuture<S, ReqBody, T>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<ReqBody>) -> Self::Future {
        // Here and not at the first poll: the order is that in which calls come.
        let admission = self.limit.admit(request.body().call(), request.headers());
        ResponseFuture::new(&self.inner, request, admission, &self.limit)
    }
}
