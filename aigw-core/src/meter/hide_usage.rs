use std::{
    collections::VecDeque,
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use pin_project::pin_project;

use super::{
    Ending, Meter, Metered,
    hider::{self, Hider},
};

/// Keeps from the caller the usage event that it did not ask for.
///
/// Drops the one event with empty `choices` and non-null `usage`, and changes no other byte. An
/// event that a chunk boundary cuts is held back until it is known what it is, up to [64
/// KiB](HideUsage::CAP); a larger one passes.
#[pin_project]
pub struct HideUsage<B: Body> {
    #[pin]
    inner: B,
    hider: Option<Box<Hider>>,
    /// What passes before the inner body is asked for more.
    ready: VecDeque<Bytes>,
    /// What passes behind that: trailers or an error.
    last: Option<Result<Frame<Bytes>, B::Error>>,
    /// The inner body has said that it is over: not every body can be asked again.
    ended: bool,
}

impl<B: Body> HideUsage<B> {
    /// The greatest part of an event that is held back: 64 KiB, far above any usage event.
    pub const CAP: usize = hider::CAP;

    /// Passes everything.
    pub(super) fn off(inner: B) -> Self {
        Self {
            inner,
            hider: None,
            ready: VecDeque::new(),
            last: None,
            ended: false,
        }
    }

    /// Drops the usage event.
    pub(super) fn on(inner: B) -> Self {
        Self {
            inner,
            hider: Some(Box::default()),
            ready: VecDeque::new(),
            last: None,
            ended: false,
        }
    }
}

impl<B: Body<Data = Bytes>> Body for HideUsage<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let mut this = self.project();
        let Some(hider) = this.hider else {
            return this.inner.poll_frame(cx);
        };
        loop {
            if let Some(bytes) = this.ready.pop_front() {
                return Poll::Ready(Some(Ok(Frame::data(bytes))));
            }
            if let Some(last) = this.last.take() {
                return Poll::Ready(Some(last));
            }
            if *this.ended {
                return Poll::Ready(None);
            }
            // Most of the time one piece passes.
            let mut first = None;
            let mut pass = |bytes| match &first {
                None => first = Some(bytes),
                Some(_) => this.ready.push_back(bytes),
            };
            match ready!(this.inner.as_mut().poll_frame(cx)) {
                Some(Ok(frame)) if frame.is_data() => {
                    hider.sift(frame.into_data().unwrap_or_default(), &mut pass);
                }
                // No event goes on behind trailers, an error or the end: what is held was none.
                end => {
                    hider.release(&mut pass);
                    *this.ended = end.is_none();
                    *this.last = end;
                }
            }
            if let Some(bytes) = first {
                return Poll::Ready(Some(Ok(Frame::data(bytes))));
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        let held = self.hider.as_ref().is_some_and(|hider| hider.holds());
        self.ready.is_empty()
            && self.last.is_none()
            && !held
            && (self.ended || self.inner.is_end_stream())
    }

    fn size_hint(&self) -> SizeHint {
        match self.hider {
            None => self.inner.size_hint(),
            Some(_) => SizeHint::new(),
        }
    }
}

impl<B: Metered> Metered for HideUsage<B> {
    fn meter(&self) -> &Meter {
        self.inner.meter()
    }

    fn ending(&self) -> Ending {
        self.inner.ending()
    }
}

impl<B: Body> fmt::Debug for HideUsage<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HideUsage")
            .field("hides", &self.hider.is_some())
            .finish_non_exhaustive()
    }
}
