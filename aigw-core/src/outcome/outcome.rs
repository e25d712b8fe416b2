use std::time::{Duration, SystemTime};

use http::{HeaderMap, StatusCode};

use super::{Fault, FaultKind, RetryHint};
use crate::meter::Ending;

/// What an answer says about the backend that gave it.
///
/// The breaker counts it, the balancer weighs it, the retry budget draws on it. Two readings make
/// a verdict: the head when it comes ([`classify`](Self::classify)), and for a stream the end
/// ([`of_ending`](Self::of_ending)), since a success may yet break.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Outcome {
    /// The backend served the call.
    Success,
    /// The backend did not do its work.
    Failure,
    /// The backend is well and asks to be left alone for this long, as it stated it: cap it
    /// before use, and add jitter upwards only. Never zero.
    Throttled(Duration),
    /// Nothing is known about the backend: the caller's error, the caller's hang-up, or a cut of
    /// ours. Gives a probe back without a verdict.
    Neutral,
}

impl Outcome {
    /// Judges the head of an answer. `fault` is the one in the answer's extensions, `now` the wall
    /// time to which dates in the headers relate.
    ///
    /// | answer | outcome |
    /// |---|---|
    /// | with a fault | failure; neutral if it was the request that could not be sent |
    /// | below 400 | success |
    /// | 429, 503, 529 with a [wait](RetryHint) above zero | throttled |
    /// | 429, 503, 529 without, or with zero | failure: there is no time to stay away for |
    /// | 408, other 5xx | failure |
    /// | other 4xx, 499 among them | neutral |
    ///
    /// 529 is Anthropic's status for an overload. A 409 is neutral even with a `retry-after`: it
    /// speaks of one resource of one caller, whose SDK reads the wait itself, not of the backend.
    /// Neutral too are 401 and 403: they condemn a credential, not the endpoint behind it.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::{Duration, SystemTime};
    ///
    /// use aigw_core::outcome::Outcome;
    /// use http::{HeaderMap, HeaderValue, StatusCode};
    ///
    /// let mut headers = HeaderMap::new();
    /// let judge = |headers: &HeaderMap| {
    ///     Outcome::classify(StatusCode::TOO_MANY_REQUESTS, headers, None, SystemTime::now())
    /// };
    /// assert_eq!(judge(&headers), Outcome::Failure);
    /// headers.insert("retry-after-ms", HeaderValue::from_static("250"));
    /// assert_eq!(judge(&headers), Outcome::Throttled(Duration::from_millis(250)));
    /// ```
    #[must_use]
    pub fn classify(
        status: StatusCode,
        headers: &HeaderMap,
        fault: Option<&Fault>,
        now: SystemTime,
    ) -> Self {
        if let Some(fault) = fault {
            return Self::of_fault(*fault);
        }
        match status.as_u16() {
            ..400 => Self::Success,
            429 | 503 | 529 => match RetryHint::read(headers, now).map(RetryHint::wait) {
                Some(wait) if !wait.is_zero() => Self::Throttled(wait),
                _ => Self::Failure,
            },
            408 | 500.. => Self::Failure,
            _ => Self::Neutral,
        }
    }

    /// Judges the end of an answer that had begun with success.
    ///
    /// A fault and an error inside the answer are failures. A cut of ours and a caller who hung up
    /// are neutral: the backend might have finished.
    #[must_use]
    pub const fn of_ending(ending: Ending) -> Self {
        match ending {
            Ending::Complete => Self::Success,
            Ending::Fault(fault) => Self::of_fault(fault),
            Ending::InBandError => Self::Failure,
            Ending::Cut(_) | Ending::Dropped => Self::Neutral,
        }
    }

    /// The name in snake case, as logs and metrics spell it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Failure => "failure",
            Self::Throttled(_) => "throttled",
            Self::Neutral => "neutral",
        }
    }

    const fn of_fault(fault: Fault) -> Self {
        match fault.kind {
            FaultKind::Request => Self::Neutral,
            _ => Self::Failure,
        }
    }
}
