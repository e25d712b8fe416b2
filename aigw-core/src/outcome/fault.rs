use std::{error::Error, fmt, io};

use http::StatusCode;

/// What went wrong between us and the provider, below HTTP or in time.
///
/// A fault before the answer's head becomes a 502 or 504 answer that carries it in its extensions;
/// a fault after it is the [source](Error::source) of the body's error. [`Fault::find`] reads the
/// second, [`http::Extensions::get`] the first.
///
/// # Examples
///
/// ```
/// use aigw_core::outcome::{Fault, FaultKind};
///
/// let fault = Fault::dispatched(FaultKind::IdleTimeout);
/// let error: Box<dyn std::error::Error + Send + Sync> = fault.into();
/// assert_eq!(Fault::find(&*error), Some(&fault));
/// assert_eq!(fault.status(), 504);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Fault {
    /// What happened.
    pub kind: FaultKind,
    /// Whether any byte of the request may have reached the provider. When not, the call cannot
    /// have been charged, and may go to another backend without drawing on a retry budget.
    pub dispatched: bool,
}

/// The kinds of [`Fault`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FaultKind {
    /// No connection: name resolution, refusal, unreachable host, proxy.
    Connect,
    /// No TLS session: certificate, protocol or key mismatch.
    Tls,
    /// The connection, TLS included, took too long.
    ConnectTimeout,
    /// The answer's head took too long.
    HeadersTimeout,
    /// The first content took too long.
    FirstTokenTimeout,
    /// The answer stalled between two pieces of content.
    IdleTimeout,
    /// The call as a whole took too long.
    TotalTimeout,
    /// The connection broke.
    Reset,
    /// The answer ended before it was complete, although the transport ended it in order.
    Truncated,
    /// What came was not HTTP.
    Protocol,
    /// The request could not be sent on as it was: its own body failed, or it does not form a valid
    /// request.
    Request,
    /// Anything else.
    Other,
}

impl FaultKind {
    /// The name in snake case, as logs and configuration spell it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::Tls => "tls",
            Self::ConnectTimeout => "connect_timeout",
            Self::HeadersTimeout => "headers_timeout",
            Self::FirstTokenTimeout => "first_token_timeout",
            Self::IdleTimeout => "idle_timeout",
            Self::TotalTimeout => "total_timeout",
            Self::Reset => "reset",
            Self::Truncated => "truncated",
            Self::Protocol => "protocol",
            Self::Request => "request",
            Self::Other => "other",
        }
    }

    /// Whether a deadline passed.
    #[must_use]
    pub const fn is_timeout(self) -> bool {
        matches!(
            self,
            Self::ConnectTimeout
                | Self::HeadersTimeout
                | Self::FirstTokenTimeout
                | Self::IdleTimeout
                | Self::TotalTimeout
        )
    }
}

impl Fault {
    /// A fault after which the provider may have seen some of the request.
    #[must_use]
    pub const fn dispatched(kind: FaultKind) -> Self {
        let dispatched = true;
        Self { kind, dispatched }
    }

    /// A fault before any byte of the request left.
    #[must_use]
    pub const fn undispatched(kind: FaultKind) -> Self {
        let dispatched = false;
        Self { kind, dispatched }
    }

    /// The first fault in an error's chain of sources, the error itself included.
    #[must_use]
    pub fn find<'e>(error: &'e (dyn Error + 'static)) -> Option<&'e Self> {
        let mut next = Some(error);
        while let Some(error) = next {
            if let Some(fault) = error.downcast_ref() {
                return Some(fault);
            }
            // What an `io::Error` wraps is not its source, but stands in its place.
            let wrapped = error.downcast_ref().and_then(io::Error::get_ref);
            next = match wrapped {
                Some(wrapped) => Some(wrapped),
                None => error.source(),
            };
        }
        None
    }

    /// The status of the answer that stands for this fault: 504 when a deadline passed, else 502.
    #[must_use]
    pub const fn status(self) -> StatusCode {
        if self.kind.is_timeout() {
            StatusCode::GATEWAY_TIMEOUT
        } else {
            StatusCode::BAD_GATEWAY
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.kind {
            FaultKind::Connect => "the provider could not be reached",
            FaultKind::Tls => "no TLS session with the provider",
            FaultKind::ConnectTimeout => "connecting to the provider took too long",
            FaultKind::HeadersTimeout => "the provider did not begin to answer in time",
            FaultKind::FirstTokenTimeout => "the provider sent no content in time",
            FaultKind::IdleTimeout => "the provider stalled",
            FaultKind::TotalTimeout => "the call took too long",
            FaultKind::Reset => "the connection to the provider broke",
            FaultKind::Truncated => "the provider's answer was incomplete",
            FaultKind::Protocol => "the provider's answer was not valid HTTP",
            FaultKind::Request => "the request could not be sent on",
            FaultKind::Other => "the provider failed",
        })
    }
}

impl Error for Fault {}
