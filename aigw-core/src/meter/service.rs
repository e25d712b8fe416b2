use std::{
    sync::Arc,
    task::{Context, Poll},
};

use http::{Request, Response};
use http_body::Body;
use tower_service::Service;

use super::{
    HideUsage, MeterBody,
    asking::Asking,
    future::{Answering, ResponseFuture, Second},
};
use crate::{
    BoxError,
    call::{Edit, HasCall},
    observe::Observe,
    rt::{Clock, SystemClock},
};

/// Reads what each answer used; made by [`MeterLayer`](super::MeterLayer).
///
/// # Readiness
///
/// The inner service's. Where a backend refuses the question for usage, a clone of it is driven to
/// readiness for the second try.
#[derive(Clone, Debug)]
pub struct MeterService<S, C = SystemClock, O = ()> {
    pub(super) inner: S,
    pub(super) clock: C,
    pub(super) observe: O,
    pub(super) asking: Asking,
}

impl<S, B, ResBody, C, O> Service<Request<B>> for MeterService<S, C, O>
where
    S: Service<Request<B>, Response = Response<ResBody>> + Clone,
    B: HasCall,
    ResBody: Body,
    ResBody::Error: Into<BoxError>,
    C: Clock,
    O: Observe + Clone,
{
    type Response = Response<HideUsage<MeterBody<ResBody, C>>>;
    type Error = S::Error;
    type Future = ResponseFuture<S, B, ResBody, C, O>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let call = request.body().call();
        let summary = Arc::clone(call.summary());
        let mut second = None;
        if self.asking.asks(call, request.body().model())
            && let Some(unasked) = request.body().try_clone()
            && Edit::IncludeUsage.apply(&mut request)
        {
            second = Some(Second {
                request: with_head_of(&request, unasked),
                inner: self.inner.clone(),
                asking: self.asking.clone(),
            });
        }
        let answering = Answering {
            summary,
            clock: self.clock.clone(),
            observe: self.observe.clone(),
        };
        ResponseFuture::new(self.inner.call(request), answering, second)
    }
}

fn with_head_of<B>(request: &Request<B>, body: B) -> Request<B> {
    let mut copy = Request::new(body);
    *copy.method_mut() = request.method().clone();
    *copy.uri_mut() = request.uri().clone();
    *copy.version_mut() = request.version();
    *copy.headers_mut() = request.headers().clone();
    *copy.extensions_mut() = request.extensions().clone();
    copy
}
