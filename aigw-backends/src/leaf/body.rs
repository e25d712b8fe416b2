use std::{
    error::Error,
    pin::Pin,
    task::{Context, Poll},
};

use aigw_core::{
    BoxError,
    outcome::{Fault, FaultKind},
};
use bytes::{Buf, Bytes};
use http_body::{Body, Frame, SizeHint};
use pin_project::pin_project;

use super::TransportError;

/// A provider's body whose errors carry a [`Fault`].
#[pin_project]
#[derive(Debug)]
pub struct ResponseBody<B> {
    #[pin]
    inner: B,
    diagnose: Diagnose,
}

/// Reads what an error means.
pub(super) type Diagnose = fn(&(dyn Error + 'static)) -> Fault;

impl<B> ResponseBody<B> {
    pub(super) fn new(inner: B, diagnose: Diagnose) -> Self {
        Self { inner, diagnose }
    }
}

impl<B> Body for ResponseBody<B>
where
    B: Body,
    B::Error: Into<BoxError>,
{
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = self.project();
        let diagnose = *this.diagnose;
        this.inner.poll_frame(cx).map(|frame| {
            frame.map(|frame| {
                frame
                    .map(into_bytes)
                    .map_err(|error| with_fault(error.into(), diagnose))
            })
        })
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

/// The same error, with its fault among its sources.
fn with_fault(error: BoxError, diagnose: Diagnose) -> BoxError {
    if Fault::find(&*error).is_some() {
        return error;
    }
    let mut fault = diagnose(&*error);
    // The head has come, so the request went out, and whatever failed was no attempt to connect.
    fault.dispatched = true;
    if fault.kind == FaultKind::Connect {
        fault.kind = FaultKind::Reset;
    }
    TransportError::new(fault, error).into()
}

/// The same frame with its data as [`Bytes`]: free of cost where they are that already.
fn into_bytes<D: Buf>(frame: Frame<D>) -> Frame<Bytes> {
    frame.map_data(|mut data| data.copy_to_bytes(data.remaining()))
}
