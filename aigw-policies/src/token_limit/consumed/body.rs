use std::{
    collections::VecDeque,
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
};

use aigw_core::meter::{Ending, Meter, Metered};
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use pin_project::pin_project;

/// Passes an answer on, with what was held of it first.
#[pin_project]
pub struct ResponseBody<B: Metered> {
    #[pin]
    state: State<B>,
}

#[pin_project(project = StateProj)]
enum State<B: Metered> {
    Passing(#[pin] B),
    // Boxed, for its size would otherwise stand in every body that passes.
    Held(Box<Held<B>>),
}

/// The beginning of an answer, and what is to come of it.
pub(super) struct Held<B: Metered> {
    frames: VecDeque<Result<Frame<Bytes>, B::Error>>,
    /// How many bytes the frames have that are still to pass.
    bytes: usize,
    /// Nothing more comes.
    is_over: bool,
    inner: Pin<Box<B>>,
}

impl<B: Metered> Held<B> {
    pub(super) fn new(inner: B) -> Self {
        Self {
            frames: VecDeque::new(),
            bytes: 0,
            is_over: inner.is_end_stream(),
            inner: Box::pin(inner),
        }
    }

    pub(super) fn inner(&self) -> &B {
        &self.inner
    }

    /// Whether all of it is here.
    pub(super) fn is_over(&self) -> bool {
        self.is_over
    }

    /// Waits until all of it is here, or more than so many bytes.
    pub(super) fn poll_end(&mut self, cx: &mut Context<'_>, most: usize) -> Poll<()> {
        while !self.is_over && self.bytes <= most {
            match ready!(self.inner.as_mut().poll_frame(cx)) {
                Some(frame) => {
                    // An error is the last that comes.
                    self.is_over = frame.is_err() || self.inner.is_end_stream();
                    self.bytes += length(&frame);
                    self.frames.push_back(frame);
                }
                None => self.is_over = true,
            }
        }
        Poll::Ready(())
    }

    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        if let Some(frame) = self.frames.pop_front() {
            self.bytes -= length(&frame);
            return Poll::Ready(Some(frame));
        }
        if self.is_over {
            return Poll::Ready(None);
        }
        self.inner.as_mut().poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.frames.is_empty() && (self.is_over || self.inner.is_end_stream())
    }

    fn size_hint(&self) -> SizeHint {
        let bytes = self.bytes as u64;
        if self.is_over {
            return SizeHint::with_exact(bytes);
        }
        let rest = self.inner.size_hint();
        let mut hint = SizeHint::new();
        hint.set_lower(rest.lower().saturating_add(bytes));
        if let Some(upper) = rest.upper() {
            hint.set_upper(upper.saturating_add(bytes));
        }
        hint
    }
}

/// How many bytes of data a frame has.
fn length<E>(frame: &Result<Frame<Bytes>, E>) -> usize {
    let data = frame.as_ref().ok().and_then(Frame::data_ref);
    data.map_or(0, Bytes::len)
}

impl<B: Metered> ResponseBody<B> {
    pub(super) fn passing(inner: B) -> Self {
        let state = State::Passing(inner);
        Self { state }
    }

    pub(super) fn held(held: Held<B>) -> Self {
        let state = State::Held(Box::new(held));
        Self { state }
    }
}

impl<B: Metered> Body for ResponseBody<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        match self.project().state.project() {
            StateProj::Passing(inner) => inner.poll_frame(cx),
            StateProj::Held(held) => held.poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.state {
            State::Passing(inner) => inner.is_end_stream(),
            State::Held(held) => held.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.state {
            State::Passing(inner) => inner.size_hint(),
            State::Held(held) => held.size_hint(),
        }
    }
}

impl<B: Metered> Metered for ResponseBody<B> {
    fn meter(&self) -> &Meter {
        match &self.state {
            State::Passing(inner) => inner.meter(),
            State::Held(held) => held.inner.meter(),
        }
    }

    /// While some of it is still to pass, the caller has not all of it.
    fn ending(&self) -> Ending {
        match &self.state {
            State::Held(held) if !held.frames.is_empty() => Ending::Dropped,
            State::Held(held) => held.inner.ending(),
            State::Passing(inner) => inner.ending(),
        }
    }
}

impl<B: Metered> fmt::Debug for ResponseBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseBody")
            .field("meter", self.meter())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use aigw_core::testing::contract::body;

    use super::*;

    #[test]
    fn what_is_held_passes_as_it_came() {
        for most in [0, 3, usize::MAX] {
            body::check(|sample| {
                let mut held = Held::new(sample.clone());
                let mut cx = Context::from_waker(Waker::noop());
                while held.poll_end(&mut cx, most).is_pending() {}
                ResponseBody::held(held)
            });
        }
    }
}
