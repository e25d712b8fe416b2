use std::{
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http::Extensions;
use http_body::{Body, Frame, SizeHint};
use pin_project::pin_project;

use crate::meter::{Ending, Meter, Metered};

/// Where the inner body leaves its meter for the outer one; travels in the response's extensions.
#[derive(Clone, Debug)]
struct Slot(Arc<Mutex<Reading>>);

#[derive(Clone, Debug)]
struct Reading {
    meter: Meter,
    ending: Ending,
}

impl Slot {
    fn lock(&self) -> std::sync::MutexGuard<'_, Reading> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The body that a foreign layer wraps.
#[pin_project]
#[derive(Debug)]
pub struct CarryBody<B> {
    #[pin]
    inner: B,
    slot: Slot,
}

impl<B: Metered> CarryBody<B> {
    pub(super) fn new(inner: B, extensions: &mut Extensions) -> Self {
        let reading = Reading {
            meter: inner.meter().clone(),
            ending: inner.ending(),
        };
        let slot = Slot(Arc::new(Mutex::new(reading)));
        extensions.insert(slot.clone());
        Self { inner, slot }
    }
}

impl<B: Metered> Body for CarryBody<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let mut this = self.project();
        let frame = ready!(this.inner.as_mut().poll_frame(cx));
        let mut reading = this.slot.lock();
        reading.meter.clone_from(this.inner.meter());
        reading.ending = this.inner.ending();
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

/// A foreign layer's body with the meter of the body inside it.
#[pin_project]
#[derive(Debug)]
pub struct AcrossBody<B> {
    #[pin]
    inner: B,
    /// Absent where the foreign layer answered by itself.
    slot: Option<Slot>,
    reading: Reading,
}

impl<B: Body> AcrossBody<B> {
    pub(super) fn new(inner: B, extensions: &mut Extensions) -> Self {
        let slot = extensions.remove::<Slot>();
        let reading = match &slot {
            Some(slot) => slot.lock().clone(),
            None => Reading {
                meter: Meter::none(),
                ending: Ending::Complete,
            },
        };
        Self {
            inner,
            slot,
            reading,
        }
    }
}

impl<B: Body<Data = Bytes>> Body for AcrossBody<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let this = self.project();
        let frame = ready!(this.inner.poll_frame(cx));
        if let Some(slot) = this.slot {
            this.reading.clone_from(&slot.lock());
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

impl<B: Body<Data = Bytes>> Metered for AcrossBody<B> {
    fn meter(&self) -> &Meter {
        &self.reading.meter
    }

    fn ending(&self) -> Ending {
        self.reading.ending
    }
}
