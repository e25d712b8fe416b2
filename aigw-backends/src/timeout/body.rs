use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
};

use aigw_core::{
    BoxError,
    meter::{Ending, Meter, Metered, Reads},
    outcome::{Fault, FaultKind},
    rt::Timer,
};
use bytes::Bytes;
use http::Response;
use http_body::{Body, Frame, SizeHint};
use pin_project::pin_project;

use super::{alarm::Alarm, deadlines::Deadlines};

/// A body that ends with an error when a deadline passes.
#[pin_project]
pub struct ResponseBody<B, T: Timer> {
    #[pin]
    state: State<B>,
    deadlines: Deadlines,
    progress: Progress,
    #[pin]
    alarm: Alarm<T>,
}

#[pin_project(project = StateProj)]
enum State<B> {
    Running(#[pin] B),
    /// A deadline passed, and the body below is gone.
    Cut {
        meter: Box<Meter>,
        fault: Fault,
    },
}

impl<B: Metered, T: Timer> ResponseBody<B, T> {
    pub(super) fn of(answer: Response<B>, deadlines: Deadlines, timer: T) -> Response<Self> {
        let progress = Progress::of(answer.body().meter());
        answer.map(|inner| Self {
            state: State::Running(inner),
            deadlines,
            progress,
            alarm: Alarm::new(timer),
        })
    }
}

impl<B, T> Body for ResponseBody<B, T>
where
    B: Metered,
    B::Error: Into<BoxError>,
    T: Timer,
{
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let mut this = self.project();
        let StateProj::Running(mut inner) = this.state.as_mut().project() else {
            return Poll::Ready(None);
        };
        // A provider that never pauses would never let the timer be polled. An answer that is all
        // there is not late, however late its reader asks whether there is more.
        let overrun = this
            .deadlines
            .total()
            .filter(|_| !inner.is_end_stream())
            .filter(|(deadline, _)| this.alarm.now() >= *deadline);
        let kind = match overrun {
            Some((_, kind)) => kind,
            None => match inner.as_mut().poll_frame(cx) {
                Poll::Ready(frame) => {
                    if this.progress.made(&*inner) {
                        this.deadlines.progressed();
                    } else {
                        this.deadlines.arrived(this.alarm.now());
                    }
                    return Poll::Ready(frame.map(|frame| frame.map_err(Into::into)));
                }
                Poll::Pending => {
                    let now = this.alarm.now();
                    let Some((deadline, kind)) = this.deadlines.while_waiting(now) else {
                        return Poll::Pending;
                    };
                    ready!(this.alarm.poll(cx, deadline));
                    kind
                }
            },
        };
        Poll::Ready(Some(Err(cut(this.state, kind).into())))
    }

    fn is_end_stream(&self) -> bool {
        match &self.state {
            State::Running(inner) => inner.is_end_stream(),
            State::Cut { .. } => true,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.state {
            State::Running(inner) => inner.size_hint(),
            State::Cut { .. } => SizeHint::with_exact(0),
        }
    }
}

/// Drops the body below, which cancels the call, and keeps what it has shown.
fn cut<B: Metered>(mut state: Pin<&mut State<B>>, kind: FaultKind) -> Fault {
    let fault = Fault::dispatched(kind);
    let meter = match &*state {
        State::Running(inner) => Box::new(inner.meter().clone()),
        State::Cut { fault, .. } => return *fault,
    };
    state.set(State::Cut { meter, fault });
    fault
}

impl<B, T> Metered for ResponseBody<B, T>
where
    B: Metered,
    B::Error: Into<BoxError>,
    T: Timer,
{
    fn meter(&self) -> &Meter {
        match &self.state {
            State::Running(inner) => inner.meter(),
            State::Cut { meter, .. } => meter,
        }
    }

    fn ending(&self) -> Ending {
        match &self.state {
            State::Running(inner) => inner.ending(),
            State::Cut { fault, .. } => Ending::Fault(*fault),
        }
    }
}

impl<B, T: Timer> fmt::Debug for ResponseBody<B, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseBody")
            .field("deadlines", &self.deadlines)
            .finish_non_exhaustive()
    }
}

/// What counts as progress in an answer.
#[derive(Debug)]
enum Progress {
    /// What the meter reads in an event stream, as it stood at the last frame.
    Events(Seen),
    /// Every frame: the answer is one document, or the meter cannot read it.
    Frames,
}

/// Content, and whether there is a finish or an error in band. Not usage: Anthropic states the
/// prompt's before there is any content.
type Seen = (u64, u64, u64, bool, bool);

impl Progress {
    fn of(meter: &Meter) -> Self {
        match meter.reads() {
            Reads::Events => Self::Events(Seen::default()),
            _ => Self::Frames,
        }
    }

    fn made<B: Metered>(&mut self, body: &B) -> bool {
        match self {
            Self::Frames => true,
            Self::Events(seen) => {
                let meter = body.meter();
                let now = (
                    meter.chunks(),
                    meter.content_bytes(),
                    meter.media_bytes(),
                    meter.finish().is_some(),
                    meter.in_band_error().is_some(),
                );
                now != std::mem::replace(seen, now)
            }
        }
    }
}
