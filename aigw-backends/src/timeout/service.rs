use std::task::{Context, Poll};

use aigw_core::{
    BoxError,
    call::HasCall,
    meter::Metered,
    reject::{self, Refuser},
    rt::Timer,
};
use http::{Request, Response};
use tower_service::Service;

use super::{ResponseBody, ResponseFuture, Timeouts, alarm::Alarm, deadlines::Deadlines};

/// Ends calls that take too long. See the [module](super).
///
/// # Readiness
///
/// That of the inner service. The time until it is ready is not part of a call.
#[derive(Clone, Debug)]
pub struct Timeout<S, T> {
    inner: S,
    timeouts: Timeouts,
    timer: T,
    refuser: Refuser,
}

impl<S, T> Timeout<S, T> {
    pub(super) fn new(inner: S, timeouts: Timeouts, timer: T, refuser: Refuser) -> Self {
        Self {
            inner,
            timeouts,
            timer,
            refuser,
        }
    }
}

impl<S, T, ReqBody, ResBody> Service<Request<ReqBody>> for Timeout<S, T>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
    T: Timer,
    ReqBody: HasCall,
    ResBody: Metered,
    ResBody::Error: Into<BoxError>,
{
    type Response = Response<reject::Body<ResponseBody<ResBody, T>>>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future, T>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<ReqBody>) -> Self::Future {
        let dialect = request.body().call().dialect();
        let alarm = Alarm::new(self.timer.clone());
        let deadlines = Deadlines::new(self.timeouts, alarm.now());
        let refuser = self.refuser.clone();
        ResponseFuture::new(self.inner.call(request), deadlines, alarm, dialect, refuser)
    }
}
