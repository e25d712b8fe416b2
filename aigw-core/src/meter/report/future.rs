use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
};

use http::Response;
use pin_project::{pin_project, pinned_drop};

use super::{Report, ResponseBody, guard::Guard};
use crate::{
    meter::{Ending, Meter, Metered},
    outcome::{Fault, FaultKind},
};

/// The answer of a [`ReportService`](super::ReportService).
///
/// The bound stands on the struct because its `Drop` reports.
///
/// # Cancel safety
///
/// Dropped before there is an answer, it reports [`Ending::Dropped`] with an empty meter.
#[pin_project(PinnedDrop)]
#[must_use = "futures do nothing unless polled"]
pub struct ResponseFuture<F, R: Report> {
    #[pin]
    inner: F,
    guard: Guard<R>,
}

impl<F, R: Report> ResponseFuture<F, R> {
    pub(super) fn new(inner: F, guard: Guard<R>) -> Self {
        Self { inner, guard }
    }
}

impl<F, R, B, E> Future for ResponseFuture<F, R>
where
    F: Future<Output = Result<Response<B>, E>>,
    B: Metered,
    R: Report,
{
    type Output = Result<Response<ResponseBody<B, R>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        Poll::Ready(match ready!(this.inner.poll(cx)) {
            Ok(response) => {
                let mut guard = this.guard.take();
                guard.answered(response.status());
                Ok(response.map(|body| ResponseBody::new(body, guard)))
            }
            // A service that fails with an error of its own says nothing about the provider.
            Err(error) => {
                let unknown = Ending::Fault(Fault::dispatched(FaultKind::Other));
                this.guard.end(&Meter::none(), unknown);
                Err(error)
            }
        })
    }
}

#[pinned_drop]
impl<F, R: Report> PinnedDrop for ResponseFuture<F, R> {
    fn drop(self: Pin<&mut Self>) {
        self.project().guard.end(&Meter::default(), Ending::Dropped);
    }
}

impl<F, R: Report> fmt::Debug for ResponseFuture<F, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}
