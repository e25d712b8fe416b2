use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::Response;
use http_body::{Frame, SizeHint};
use pin_project::pin_project;

use crate::{
    meter::{Ending, Meter, Metered},
    outcome::Fault,
};

/// The response body of a layer that may refuse: the inner body untouched, or the refusal's bytes.
///
/// Implements [`Metered`] where the inner body does. A refusal's meter is [`Meter::none`], since
/// no provider gave the answer. Its ending is the [`Fault`] that it answers for, else
/// [`Ending::Complete`], since it was never more than these bytes.
#[pin_project]
pub struct Body<B> {
    #[pin]
    state: State<B>,
}

#[pin_project(project = StateProj)]
enum State<B> {
    Passed(#[pin] B),
    Refused {
        bytes: Option<Bytes>,
        // Boxed, for its size would otherwise stand in every body that passes.
        meter: Box<Meter>,
        fault: Option<Fault>,
    },
}

impl<B> Body<B> {
    /// The inner service's body.
    pub fn passed(inner: B) -> Self {
        Self {
            state: State::Passed(inner),
        }
    }

    /// A body of our own that answers for no fault.
    pub fn refused(bytes: Bytes) -> Self {
        Self::answering_for(None, bytes)
    }

    fn answering_for(fault: Option<Fault>, bytes: Bytes) -> Self {
        Self {
            state: State::Refused {
                bytes: (!bytes.is_empty()).then_some(bytes),
                meter: Box::new(Meter::none()),
                fault,
            },
        }
    }

    /// Whether this is a body of our own.
    #[must_use]
    pub fn is_refused(&self) -> bool {
        matches!(self.state, State::Refused { .. })
    }
}

/// The inner service's answer as an answer of a layer that may refuse.
///
/// # Examples
///
/// ```
/// use aigw_core::{
///     dialect::Dialect,
///     reject::{self, Body, DialectJson, Reason, Refusal},
/// };
/// use bytes::Bytes;
/// use http::Response;
/// use http_body_util::Full;
///
/// fn answer(admitted: bool) -> Response<Body<Full<Bytes>>> {
///     if admitted {
///         reject::passed(Response::new(Full::from("hello")))
///     } else {
///         let refusal = Refusal::new(Reason::Forbidden, "not for this consumer");
///         reject::refused(refusal.into_response(Dialect::OpenAi, &DialectJson))
///     }
/// }
/// assert!(!answer(true).body().is_refused());
/// assert_eq!(answer(false).status(), 403);
/// ```
pub fn passed<B>(response: Response<B>) -> Response<Body<B>> {
    response.map(Body::passed)
}

/// A refusal's answer as an answer of the layer that refused; see [`passed`].
///
/// A [`Fault`] in its extensions, as [`Refused::respond`](super::Refused::respond) leaves it there,
/// is how it ended.
pub fn refused<B>(response: Response<Bytes>) -> Response<Body<B>> {
    let fault = response.extensions().get().copied();
    response.map(|bytes| Body::answering_for(fault, bytes))
}

impl<B: http_body::Body<Data = Bytes>> http_body::Body for Body<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        match self.project().state.project() {
            StateProj::Passed(inner) => inner.poll_frame(cx),
            StateProj::Refused { bytes, .. } => Poll::Ready(bytes.take().map(Frame::data).map(Ok)),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.state {
            State::Passed(inner) => inner.is_end_stream(),
            State::Refused { bytes, .. } => bytes.is_none(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.state {
            State::Passed(inner) => inner.size_hint(),
            State::Refused { bytes, .. } => {
                SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64))
            }
        }
    }
}

impl<B: Metered> Metered for Body<B> {
    fn meter(&self) -> &Meter {
        match &self.state {
            State::Passed(inner) => inner.meter(),
            State::Refused { meter, .. } => meter,
        }
    }

    fn ending(&self) -> Ending {
        match &self.state {
            State::Passed(inner) => inner.ending(),
            State::Refused { fault, .. } => fault.map_or(Ending::Complete, Ending::Fault),
        }
    }
}

impl<B> fmt::Debug for Body<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.state {
            State::Passed(_) => "Body::Passed",
            State::Refused { .. } => "Body::Refused",
        })
    }
}
