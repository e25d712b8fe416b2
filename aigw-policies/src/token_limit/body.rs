use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
};

use aigw_core::{
    meter::{Ending, Meter, Metered},
    reject,
};
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use pin_project::{pin_project, pinned_drop};

use super::{
    guard::{Guard, STOPPED},
    stopper::Stopper,
};
use crate::budget::Store;

/// Passes an answer on, and settles its call when it ends, fails or is dropped, whichever is first;
/// or the refusal of one.
///
/// The bounds stand on the struct because its `Drop` settles.
#[pin_project(PinnedDrop)]
pub struct ResponseBody<B: Metered, St: Store> {
    #[pin]
    state: State<B>,
    /// `None` where nothing is held.
    guard: Option<Guard<St>>,
    /// `None` where the answer is not to be ended early.
    stopper: Option<Box<Stopper>>,
}

#[pin_project(project = StateProj)]
enum State<B> {
    Passing(#[pin] reject::Body<B>),
    /// It was ended here, and the provider's body is dropped.
    // Boxed, for its size would otherwise stand in every body that passes.
    Stopped(Box<End>),
}

/// What is left of an answer that was ended here.
struct End {
    /// `None` once it has passed.
    events: Option<Bytes>,
    meter: Meter,
}

impl<B: Metered, St: Store> ResponseBody<B, St> {
    pub(super) fn new(
        inner: reject::Body<B>,
        mut guard: Option<Guard<St>>,
        stopper: Option<Box<Stopper>>,
    ) -> Self {
        if inner.is_end_stream()
            && let Some(mut guard) = guard.take()
        {
            guard.end(inner.meter(), inner.ending());
        }
        Self {
            state: State::Passing(inner),
            guard,
            stopper,
        }
    }
}

impl<B: Metered, St: Store> Body for ResponseBody<B, St> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let mut this = self.project();
        let mut inner = match this.state.as_mut().project() {
            StateProj::Passing(inner) => inner,
            StateProj::Stopped(end) => {
                return Poll::Ready(end.events.take().map(Frame::data).map(Ok));
            }
        };
        let frame = ready!(inner.as_mut().poll_frame(cx));
        // A server that has sent the announced length does not poll again.
        let over = !matches!(frame, Some(Ok(_))) || inner.is_end_stream();
        if over {
            if let Some(mut guard) = this.guard.take() {
                guard.end(inner.meter(), inner.ending());
            }
        } else if let Some(guard) = this.guard {
            let spent = guard.progressed(inner.meter());
            if let (Some(stopper), Some(Ok(passing))) = (this.stopper, &frame)
                && let Some(data) = passing.data_ref()
                && let Some(place) = stopper.read(data, spent, &*inner)
            {
                let usage = guard.stop(inner.meter(), &place.budget);
                let passes = data.slice(..place.passes);
                let events = stopper.ending(&place, &usage);
                let (first, events) = match passes.is_empty() {
                    true => (events, None),
                    false => (passes, Some(events)),
                };
                let meter = inner.meter().clone();
                let end = End { events, meter };
                this.state.set(State::Stopped(Box::new(end)));
                return Poll::Ready(Some(Ok(Frame::data(first))));
            }
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        match &self.state {
            State::Passing(inner) => inner.is_end_stream(),
            State::Stopped(end) => end.events.is_none(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.state {
            State::Passing(inner) if self.stopper.is_none() => inner.size_hint(),
            // How much passes is known when it has.
            _ => SizeHint::new(),
        }
    }
}

impl<B: Metered, St: Store> Metered for ResponseBody<B, St> {
    fn meter(&self) -> &Meter {
        match &self.state {
            State::Passing(inner) => inner.meter(),
            State::Stopped(end) => &end.meter,
        }
    }

    fn ending(&self) -> Ending {
        match &self.state {
            State::Passing(inner) => inner.ending(),
            State::Stopped(_) => STOPPED,
        }
    }
}

#[pinned_drop]
impl<B: Metered, St: Store> PinnedDrop for ResponseBody<B, St> {
    fn drop(self: Pin<&mut Self>) {
        let this = self.project();
        if let (Some(mut guard), StateProj::Passing(inner)) =
            (this.guard.take(), this.state.project())
        {
            guard.end(inner.meter(), inner.ending());
        }
    }
}

impl<B: Metered, St: Store> fmt::Debug for ResponseBody<B, St> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseBody")
            .field("meter", self.meter())
            .finish_non_exhaustive()
    }
}
