use std::{
    mem,
    sync::Arc,
    task::{Context, Poll},
};

use aigw_core::{call::HasCall, reject};
use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use tower_service::Service;

use super::{
    ResponseFuture,
    limiter::{Admission, Limiter},
};
use crate::budget::Store;

/// Admits so many requests in a time; made by [`RequestLimitLayer`](super::RequestLimitLayer).
///
/// # Readiness
///
/// Ready when the inner service is. The one that became ready serves the call, and is held while a
/// store decides.
#[derive(Clone, Debug)]
pub struct RequestLimit<S, St> {
    pub(super) inner: S,
    pub(super) limiter: Arc<Limiter<St>>,
}

impl<S, St, ReqBody, ResBody> Service<Request<ReqBody>> for RequestLimit<S, St>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>> + Clone,
    St: Store,
    ReqBody: HasCall,
    ResBody: Body<Data = Bytes>,
{
    type Response = Response<reject::Body<ResBody>>;
    type Error = S::Error;
    type Future = ResponseFuture<S, ReqBody, St>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<ReqBody>) -> Self::Future {
        let limiter = Arc::clone(&self.limiter);
        let (call, headers) = (request.body().call(), request.headers());
        match limiter.admit(call, headers) {
            Admission::Admitted(passed) => {
                ResponseFuture::calling(limiter, passed, self.inner.call(request))
            }
            Admission::Asking(reserving) => {
                let unready = self.inner.clone();
                let inner = mem::replace(&mut self.inner, unready);
                ResponseFuture::asking(limiter, reserving, inner, request)
            }
            Admission::Refused(refusal) => {
                let call = Arc::clone(call);
                ResponseFuture::refused(limiter, call, refusal)
            }
        }
    }
}
