use std::{
    mem,
    sync::Arc,
    task::{Context, Poll},
};

use aigw_core::{call::HasCall, meter::Metered};
use http::{Request, Response};
use tower_service::Service;

use super::{
    ResponseFuture,
    limiter::{Limiter, Weighed},
};
use crate::budget::Store;

/// Admits calls while their budgets have enough left; made by
/// [`TokenLimitLayer`](super::TokenLimitLayer).
///
/// # Readiness
///
/// Ready when the inner service is. The one that became ready serves the call, and is held while
/// the store decides, no longer than a lock in memory, and while a long prompt is counted near a
/// limit: 4 to 20 ms for each 100 KB, as measured on two cores.
#[derive(Clone, Debug)]
pub struct TokenLimit<S, St> {
    pub(super) inner: S,
    pub(super) limiter: Arc<Limiter<St>>,
}

impl<S, St, ReqBody, ResBody> Service<Request<ReqBody>> for TokenLimit<S, St>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>> + Clone,
    St: Store,
    ReqBody: HasCall,
    ResBody: Metered,
{
    type Response = Response<super::ResponseBody<ResBody, St>>;
    type Error = S::Error;
    type Future = ResponseFuture<S, ReqBody, St>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<ReqBody>) -> Self::Future {
        let limiter = &self.limiter;
        match limiter.weigh(request.body().call(), request.headers()) {
            Weighed::Pass => ResponseFuture::passing(self.inner.call(request)),
            Weighed::Ask(asking, claims) => {
                let reserving = limiter.store.reserve(claims);
                let unready = self.inner.clone();
                let inner = mem::replace(&mut self.inner, unready);
                ResponseFuture::asking(Arc::clone(limiter), reserving, asking, inner, request)
            }
            Weighed::Refuse(refusal) => {
                ResponseFuture::refused(Arc::clone(limiter), request.body().call(), refusal)
            }
        }
    }
}
