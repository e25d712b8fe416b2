use std::task::{Context, Poll};

use http::{Request, Response};
use tower_service::Service;

use super::{Report, ResponseBody, ResponseFuture, guard::Guard};
use crate::{call::HasCall, meter::Metered};

/// Tells what each call used; made by [`ReportLayer`](super::ReportLayer).
///
/// # Readiness
///
/// The inner service's.
#[derive(Clone, Debug)]
pub struct ReportService<S, R> {
    pub(super) inner: S,
    pub(super) report: R,
}

impl<S, R, B, ResBody> Service<Request<B>> for ReportService<S, R>
where
    S: Service<Request<B>, Response = Response<ResBody>>,
    B: HasCall,
    ResBody: Metered,
    R: Report + Clone,
{
    type Response = Response<ResponseBody<ResBody, R>>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future, R>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let guard = Guard::new(request.body().call(), self.report.clone());
        ResponseFuture::new(self.inner.call(request), guard)
    }
}
