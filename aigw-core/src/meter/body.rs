use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use pin_project::pin_project;

use super::{Ending, Meter, Metered, Origin, reader::Reader};
use crate::{
    BoxError,
    body::PassThrough,
    outcome::{Fault, FaultKind},
    rt::{Clock, SystemClock},
};

/// Passes an answer on, byte for byte, and reads it on the side.
///
/// Data and trailers are those of the inner body; its error becomes a [`BoxError`] and is otherwise
/// the same. Memory does not grow with the answer.
#[pin_project]
pub struct MeterBody<B: Body, C = SystemClock> {
    #[pin]
    inner: PassThrough<B>,
    meter: Meter,
    reader: Reader,
    ended: Option<Ending>,
    clock: C,
}

impl<B, C> MeterBody<B, C>
where
    B: Body,
    B::Error: Into<BoxError>,
    C: Clock,
{
    pub(super) fn new(inner: PassThrough<B>, reader: Reader, clock: C) -> Self {
        let meter = Meter {
            reads: reader.reads(),
            ..Meter::default()
        };
        let mut body = Self {
            inner,
            meter,
            reader,
            ended: None,
            clock,
        };
        if body.is_end_stream() {
            body.ended = Some(end_of(&body.meter, &body.reader));
        }
        body
    }
}

impl<B: Body, C> MeterBody<B, C> {
    /// An answer that a layer of ours gave in the provider's place, for a fault or without one.
    pub(super) fn in_place_of_provider(mut self, fault: Option<Fault>) -> Self {
        self.meter.origin = Origin::None;
        self.ended = fault.map(Ending::Fault).or(self.ended);
        self
    }
}

/// How an answer that has come to its end in order did end.
fn end_of(meter: &Meter, reader: &Reader) -> Ending {
    if meter.error.is_some() {
        Ending::InBandError
    } else if reader.is_complete() {
        Ending::Complete
    } else {
        Ending::Fault(Fault::dispatched(FaultKind::Truncated))
    }
}

impl<B, C> Body for MeterBody<B, C>
where
    B: Body,
    B::Error: Into<BoxError>,
    C: Clock,
{
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let mut this = self.project();
        let frame =
            ready!(this.inner.as_mut().poll_frame(cx)).map(|frame| frame.map_err(Into::into));
        match &frame {
            Some(Ok(frame)) => {
                if let Some(data) = frame.data_ref() {
                    let before = this.meter.carried();
                    this.reader.read(data, this.meter);
                    if this.meter.carried() > before {
                        let now = this.clock.now();
                        this.meter.first_content.get_or_insert(now);
                        this.meter.last_content = Some(now);
                    }
                }
                // A server that has sent the announced length does not poll again.
                if this.inner.is_end_stream() {
                    this.ended
                        .get_or_insert_with(|| end_of(this.meter, this.reader));
                }
            }
            Some(Err(error)) => {
                let error: &BoxError = error;
                let fault = Fault::find(&**error).copied();
                let fault = fault.unwrap_or(Fault::dispatched(FaultKind::Reset));
                this.ended.get_or_insert(Ending::Fault(fault));
            }
            None => {
                this.ended
                    .get_or_insert_with(|| end_of(this.meter, this.reader));
            }
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

impl<B, C> Metered for MeterBody<B, C>
where
    B: Body,
    B::Error: Into<BoxError>,
    C: Clock,
{
    fn meter(&self) -> &Meter {
        &self.meter
    }

    fn ending(&self) -> Ending {
        match self.ended {
            Some(ending) => ending,
            // A caller that hangs up behind the last event has everything.
            None if self.reader.is_over() => end_of(&self.meter, &self.reader),
            None => Ending::Dropped,
        }
    }
}

impl<B: Body, C> fmt::Debug for MeterBody<B, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MeterBody")
            .field("meter", &self.meter)
            .field("ended", &self.ended)
            .finish_non_exhaustive()
    }
}
