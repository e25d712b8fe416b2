use std::{
    pin::Pin,
    task::{Context, Poll},
};

use aigw_core::{
    BoxError,
    dialect::Dialect,
    meter::Metered,
    outcome::Fault,
    reject::{self, Refuser},
    rt::Timer,
};
use http::Response;
use pin_project::pin_project;

use super::{ResponseBody, alarm::Alarm, deadlines::Deadlines};

/// The answer of a [`Timeout`](super::Timeout). Dropping it cancels the call below.
#[pin_project]
#[derive(Debug)]
#[must_use = "futures do nothing unless polled"]
pub struct ResponseFuture<F, T: Timer> {
    /// `None` once it has ended.
    #[pin]
    inner: Option<F>,
    deadlines: Deadlines,
    #[pin]
    alarm: Alarm<T>,
    dialect: Dialect,
    refuser: Refuser,
}

impl<F, T: Timer> ResponseFuture<F, T> {
    pub(super) fn new(
        inner: F,
        deadlines: Deadlines,
        alarm: Alarm<T>,
        dialect: Dialect,
        refuser: Refuser,
    ) -> Self {
        Self {
            inner: Some(inner),
            deadlines,
            alarm,
            dialect,
            refuser,
        }
    }
}

impl<F, T, B, E> Future for ResponseFuture<F, T>
where
    F: Future<Output = Result<Response<B>, E>>,
    T: Timer,
    B: Metered,
    B::Error: Into<BoxError>,
{
    type Output = Result<Response<reject::Body<ResponseBody<B, T>>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let Some(inner) = this.inner.as_mut().as_pin_mut() else {
            return Poll::Pending;
        };
        if let Poll::Ready(answer) = inner.poll(cx) {
            this.inner.set(None);
            let timer = this.alarm.timer();
            return Poll::Ready(answer.map(|answer| {
                let deadlines = this.deadlines.clone();
                reject::passed(ResponseBody::of(answer, deadlines, timer))
            }));
        }
        let Some((deadline, kind)) = this.deadlines.for_head() else {
            return Poll::Pending;
        };
        this.alarm.poll(cx, deadline).map(|()| {
            // The call below is over before its answer says so: a retry may follow at once.
            this.inner.set(None);
            Ok(this.refuser.fault(*this.dialect, Fault::dispatched(kind)))
        })
    }
}
