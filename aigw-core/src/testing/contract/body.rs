//! The contract of a body that wraps another: it is a window, not a filter.
//!
//! # Examples
//!
//! ```
//! use aigw_core::testing::contract::body::{self, Sample};
//!
//! fn wrap(inner: Sample) -> Sample {
//!     inner
//! }
//! body::check(wrap);
//! ```

use std::{
    collections::VecDeque,
    error::Error,
    fmt,
    pin::{Pin, pin},
    task::{Context, Poll, Waker},
};

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderValue};
use http_body::{Body, Frame, SizeHint};

use crate::{
    BoxError,
    meter::{Ending, Meter, Metered},
};

/// Polls after which a body that stays pending, though it was woken, counts as stuck.
const PATIENCE: usize = 1000;

/// Runs the suite: `wrap` puts the body under test around each sample. For every sample the data,
/// joined, and the trailers must be those of the sample, an error must arrive, size hint and
/// end-of-stream must be true at every step, and polling on after the end must do no harm.
///
/// # Panics
///
/// If the contract is broken; the message names the sample.
pub fn check<B, F>(wrap: F)
where
    B: Body<Data = Bytes>,
    F: Fn(Sample) -> B,
{
    for sample in Sample::all() {
        let name = sample.name;
        let expected = Seen::of(name, sample.clone());
        let seen = Seen::of(name, wrap(sample));
        assert_eq!(seen.data, expected.data, "{name}: data differs");
        assert_eq!(seen.trailers, expected.trailers, "{name}: trailers differ");
        assert_eq!(
            seen.failed, expected.failed,
            "{name}: an error must pass, and none be made up"
        );
    }
}

/// What came out of a body.
struct Seen {
    data: Bytes,
    trailers: Option<HeaderMap>,
    failed: bool,
}

impl Seen {
    /// Reads a body to its end, checking what it says of itself on the way.
    fn of<B: Body<Data = Bytes>>(name: &str, body: B) -> Self {
        let mut body = pin!(body);
        let mut cx = Context::from_waker(Waker::noop());
        let mut data = BytesMut::new();
        let (mut trailers, mut failed, mut pending) = (None, false, 0);
        // What the hints promised when so many bytes had come.
        let mut hints: Vec<(u64, SizeHint)> = Vec::new();
        loop {
            let ended = body.is_end_stream();
            hints.push((data.len() as u64, body.size_hint()));
            match body.as_mut().poll_frame(&mut cx) {
                Poll::Pending => {
                    assert!(!ended, "{name}: pending after is_end_stream");
                    pending += 1;
                    assert!(pending < PATIENCE, "{name}: stuck");
                }
                Poll::Ready(None) => break,
                Poll::Ready(Some(frame)) => {
                    assert!(!ended, "{name}: a frame after is_end_stream");
                    match frame.map(Frame::into_data) {
                        Ok(Ok(bytes)) => data.extend_from_slice(&bytes),
                        Ok(Err(frame)) => trailers = frame.into_trailers().ok(),
                        Err(_) => {
                            failed = true;
                            break;
                        }
                    }
                }
            }
        }
        let total = data.len() as u64;
        for (before, hint) in hints.into_iter().filter(|_| !failed) {
            let left = total - before;
            assert!(
                hint.lower() <= left,
                "{name}: hints at least {}",
                hint.lower()
            );
            let upper = hint.upper().unwrap_or(u64::MAX);
            assert!(left <= upper, "{name}: hints at most {upper}, {left} came");
        }
        if !failed {
            let again = body.poll_frame(&mut cx);
            let silent = matches!(again, Poll::Ready(None) | Poll::Pending);
            assert!(silent, "{name}: something after the end");
        }
        Self {
            data: data.freeze(),
            trailers,
            failed,
        }
    }
}

/// A body to wrap: frames at hand, frames that let wait, trailers, an error.
///
/// It is [`Metered`], with a meter that has seen nothing.
#[derive(Clone, Debug)]
pub struct Sample {
    name: &'static str,
    steps: VecDeque<Step>,
    /// Whether the hints say how much is left, or nothing.
    exact: bool,
    meter: Meter,
}

#[derive(Clone, Debug)]
enum Step {
    Data(&'static [u8]),
    Trailers(&'static str),
    Pending,
    Fail,
}

impl Sample {
    /// Every sample that the suite has.
    #[must_use]
    pub fn all() -> Vec<Self> {
        use Step::{Data, Fail, Pending, Trailers};
        let long: Vec<Step> = (0..100).flat_map(|_| [Data(EVENT), Pending]).collect();
        let samples: [(&'static str, bool, Vec<Step>); 9] = [
            ("empty", true, vec![]),
            ("empty, of unknown length", false, vec![]),
            ("one frame of known length", true, vec![Data(b"{\"a\":1}")]),
            (
                "frames of known length",
                true,
                vec![Data(b"{\"a\""), Pending, Data(b":1}")],
            ),
            (
                "empty frames",
                false,
                vec![Data(b""), Data(EVENT), Data(b""), Pending],
            ),
            ("a long stream", false, long),
            ("trailers", false, vec![Data(EVENT), Pending, Trailers("1")]),
            ("trailers alone", false, vec![Trailers("2")]),
            ("an error", false, vec![Data(EVENT), Pending, Fail]),
        ];
        samples
            .into_iter()
            .map(|(name, exact, steps)| Self {
                name,
                exact,
                steps: steps.into(),
                meter: Meter::default(),
            })
            .collect()
    }

    /// What is special about it, for messages.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }
}

const EVENT: &[u8] = b"data: {\"choices\":[{\"delta\":{\"content\":\"\xc3\xbc\"}}]}\n\n";

impl Body for Sample {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match self.steps.pop_front() {
            None => Poll::Ready(None),
            Some(Step::Data(data)) => Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(data))))),
            Some(Step::Trailers(value)) => {
                let value = HeaderValue::from_static(value);
                let trailers = HeaderMap::from_iter([(http::header::ETAG, value)]);
                Poll::Ready(Some(Ok(Frame::trailers(trailers))))
            }
            Some(Step::Pending) => {
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            Some(Step::Fail) => Poll::Ready(Some(Err(Failed.into()))),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.exact && self.steps.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        if !self.exact {
            return SizeHint::new();
        }
        let len = |step: &Step| match step {
            Step::Data(data) => data.len() as u64,
            _ => 0,
        };
        SizeHint::with_exact(self.steps.iter().map(len).sum())
    }
}

impl Metered for Sample {
    fn meter(&self) -> &Meter {
        &self.meter
    }

    fn ending(&self) -> Ending {
        if self.steps.is_empty() {
            Ending::Complete
        } else {
            Ending::Dropped
        }
    }
}

/// The error of a [`Sample`].
#[derive(Clone, Copy, Debug)]
struct Failed;

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the sample fails here")
    }
}

impl Error for Failed {}

#[cfg(test)]
mod tests {
    use super::*;

    /// Breaks the contract in one way.
    struct Bad {
        inner: Sample,
        way: Way,
    }

    #[derive(Clone, Copy)]
    enum Way {
        LosesTrailers,
        HidesErrors,
        EndsEarly,
        PromisesTooMuch,
    }

    impl Body for Bad {
        type Data = Bytes;
        type Error = BoxError;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            cx: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
            let frame = Pin::new(&mut self.inner).poll_frame(cx);
            match (self.way, frame) {
                (Way::LosesTrailers, Poll::Ready(Some(Ok(frame)))) if frame.is_trailers() => {
                    Poll::Ready(None)
                }
                (Way::HidesErrors, Poll::Ready(Some(Err(_)))) => Poll::Ready(None),
                (_, frame) => frame,
            }
        }

        fn is_end_stream(&self) -> bool {
            matches!(self.way, Way::EndsEarly) || self.inner.is_end_stream()
        }

        fn size_hint(&self) -> SizeHint {
            match self.way {
                Way::PromisesTooMuch => SizeHint::with_exact(1 << 20),
                _ => self.inner.size_hint(),
            }
        }
    }

    #[test]
    fn an_honest_body_passes() {
        check(|sample| sample);
    }

    #[test]
    fn every_broken_promise_is_found() {
        let ways = [
            Way::LosesTrailers,
            Way::HidesErrors,
            Way::EndsEarly,
            Way::PromisesTooMuch,
        ];
        for way in ways {
            let found = std::panic::catch_unwind(|| check(|inner| Bad { inner, way }));
            assert!(found.is_err());
        }
    }
}
