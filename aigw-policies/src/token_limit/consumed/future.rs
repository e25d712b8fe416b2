use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
};

use aigw_core::{
    meter::{Metered, Origin, Reads},
    usage::Kind,
};
use http::{HeaderName, Response, response};
use pin_project::pin_project;

use super::{ConsumedLayer, ResponseBody, body::Held};

/// The answer of a [`Consumed`](super::Consumed).
///
/// # Cancel safety
///
/// Dropping it drops the inner future, or the answer that it holds.
#[pin_project]
#[must_use = "futures do nothing unless polled"]
pub struct ResponseFuture<F, B: Metered> {
    #[pin]
    inner: F,
    header: HeaderName,
    /// An answer whose head waits for its end.
    held: Option<(response::Parts, Held<B>)>,
}

impl<F, B: Metered> ResponseFuture<F, B> {
    pub(super) fn new(inner: F, header: HeaderName) -> Self {
        Self {
            inner,
            header,
            held: None,
        }
    }
}

impl<F, B, E> Future for ResponseFuture<F, B>
where
    F: Future<Output = Result<Response<B>, E>>,
    B: Metered,
{
    type Output = Result<Response<ResponseBody<B>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        if this.held.is_none() {
            let (head, body) = ready!(this.inner.poll(cx))?.into_parts();
            if !may_wait(&head, &body) {
                let body = ResponseBody::passing(body);
                return Poll::Ready(Ok(Response::from_parts(head, body)));
            }
            *this.held = Some((head, Held::new(body)));
        }
        let Some((_, held)) = this.held else {
            return Poll::Pending;
        };
        ready!(held.poll_end(cx, ConsumedLayer::MOST));
        let Some((mut head, held)) = this.held.take() else {
            return Poll::Pending;
        };
        if held.is_over()
            && let Some(consumed) = consumed(&held)
        {
            head.headers.insert(this.header.clone(), consumed.into());
        }
        let body = ResponseBody::held(held);
        Poll::Ready(Ok(Response::from_parts(head, body)))
    }
}

/// Whether the end of an answer is worth waiting for.
fn may_wait(head: &response::Parts, body: &impl Metered) -> bool {
    let meter = body.meter();
    let is_small = body.size_hint().lower() <= ConsumedLayer::MOST as u64;
    let is_read = meter.origin() == Origin::Provider && meter.reads() == Reads::Document;
    head.status.is_success() && is_read && is_small
}

/// How many tokens the call has used, if that is known.
fn consumed<B: Metered>(held: &Held<B>) -> Option<u64> {
    let usage = held.inner().meter().usage();
    let parts = [Kind::Input, Kind::Output].map(|kind| usage.get(kind));
    parts.into_iter().flatten().reduce(u64::saturating_add)
}

impl<F, B: Metered> fmt::Debug for ResponseFuture<F, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture")
            .field("header", &self.header)
            .field("held", &self.held.is_some())
            .finish_non_exhaustive()
    }
}
