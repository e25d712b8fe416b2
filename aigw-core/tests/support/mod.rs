//! Bodies that follow a script, and what reads them: without a runtime, one poll at a time.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests"
)]

use std::{
    collections::VecDeque,
    pin::{Pin, pin},
    task::{Context, Poll, Waker},
};

use aigw_core::outcome::Fault;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue};
use http_body::{Body, Frame, SizeHint};

/// What a [`Script`] does when it is polled.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    Data(Bytes),
    Trailers(HeaderMap),
    Fail(&'static str),
    Fault(Fault),
    /// Not now, but wake me at once.
    Wait,
    /// Not now, and never again.
    Stall,
}

/// A body that does one step each time it is polled, and is not polled again after its end.
#[derive(Clone, Debug)]
pub(crate) struct Script {
    steps: VecDeque<Step>,
    exact: bool,
    over: bool,
}

impl Script {
    pub(crate) fn new(steps: impl IntoIterator<Item = Step>) -> Self {
        Self {
            steps: steps.into_iter().collect(),
            exact: false,
            over: false,
        }
    }

    /// One frame for each chunk.
    pub(crate) fn chunks<C: AsRef<[u8]>>(chunks: impl IntoIterator<Item = C>) -> Self {
        Self::new(
            chunks
                .into_iter()
                .map(|chunk| Step::Data(Bytes::copy_from_slice(chunk.as_ref()))),
        )
    }

    /// Announces its length, and says at its last frame that it was the last.
    pub(crate) fn exact(mut self) -> Self {
        self.exact = true;
        self
    }

    pub(crate) fn then(mut self, step: Step) -> Self {
        self.steps.push_back(step);
        self
    }
}

impl Body for Script {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, std::io::Error>>> {
        assert!(!self.over, "polled after its end");
        Poll::Ready(match self.steps.pop_front() {
            Some(Step::Data(bytes)) => Some(Ok(Frame::data(bytes))),
            Some(Step::Trailers(trailers)) => Some(Ok(Frame::trailers(trailers))),
            Some(Step::Fail(why)) => {
                self.over = true;
                Some(Err(std::io::Error::other(why)))
            }
            Some(Step::Fault(fault)) => {
                self.over = true;
                Some(Err(std::io::Error::other(fault)))
            }
            Some(Step::Wait) => {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            Some(Step::Stall) => {
                self.steps.push_front(Step::Stall);
                return Poll::Pending;
            }
            None => {
                self.over = true;
                None
            }
        })
    }

    fn is_end_stream(&self) -> bool {
        self.over || (self.exact && self.steps.is_empty())
    }

    fn size_hint(&self) -> SizeHint {
        if !self.exact {
            return SizeHint::new();
        }
        let len = |step: &Step| match step {
            Step::Data(bytes) => bytes.len() as u64,
            _ => 0,
        };
        SizeHint::with_exact(self.steps.iter().map(len).sum())
    }
}

/// Everything that came out of a body.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Read {
    pub(crate) frames: Vec<Bytes>,
    pub(crate) trailers: Option<HeaderMap>,
    pub(crate) error: Option<String>,
}

impl Read {
    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.frames.concat()
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes()).into_owned()
    }
}

/// Polls a future that wakes itself to its end.
pub(crate) fn run<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let mut cx = Context::from_waker(Waker::noop());
    for _ in 0..1_000_000 {
        if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
            return output;
        }
    }
    panic!("the future never ends");
}

/// What one poll of a body gives.
type Polled<B> = Poll<Option<Result<Frame<<B as Body>::Data>, <B as Body>::Error>>>;

/// One poll of a body.
pub(crate) fn poll_body<B: Body + Unpin>(body: &mut B) -> Polled<B> {
    Pin::new(body).poll_frame(&mut Context::from_waker(Waker::noop()))
}

/// Reads a body to its end, as a careful reader does: until it says that it is over.
pub(crate) fn drain<B>(body: &mut B) -> Read
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: ToString,
{
    let mut read = Read::default();
    for _ in 0..1_000_000 {
        if body.is_end_stream() {
            return read;
        }
        let hint = body.size_hint();
        match poll_body(body) {
            Poll::Pending => {}
            Poll::Ready(None) => {
                assert!(hint.lower() == 0, "ended below its lower bound");
                return read;
            }
            Poll::Ready(Some(Err(error))) => {
                read.error = Some(error.to_string());
                return read;
            }
            Poll::Ready(Some(Ok(frame))) => match frame.into_data() {
                Ok(data) => {
                    let len = data.len() as u64;
                    assert!(hint.upper().is_none_or(|upper| len <= upper), "{hint:?}");
                    read.frames.push(data);
                }
                Err(frame) => read.trailers = frame.into_trailers().ok(),
            },
        }
    }
    panic!("the body never ends");
}

pub(crate) fn trailers() -> HeaderMap {
    [(
        http::HeaderName::from_static("x-trailer"),
        HeaderValue::from_static("t"),
    )]
    .into_iter()
    .collect()
}

/// Cuts bytes at the given places.
pub(crate) fn cut(bytes: &[u8], places: impl IntoIterator<Item = usize>) -> Vec<&[u8]> {
    let mut places: Vec<_> = places
        .into_iter()
        .map(|place| place.min(bytes.len()))
        .collect();
    places.extend([0, bytes.len()]);
    places.sort_unstable();
    places
        .windows(2)
        .map(|pair| &bytes[pair[0]..pair[1]])
        .collect()
}
