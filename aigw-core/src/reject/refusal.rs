use std::{borrow::Cow, time::Duration};

use http::{
    HeaderMap, HeaderName, HeaderValue, Response, StatusCode,
    header::{RETRY_AFTER, WWW_AUTHENTICATE},
};

use super::{MakeRejection, Reason, Refused};
use crate::{dialect::Dialect, outcome::Fault};

/// An answer of our own to a call that is not served: the reason, and what to say about it.
///
/// Dialect-free: [`MakeRejection`] gives it the shape that the caller's SDK understands.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
///
/// use aigw_core::reject::{Reason, Refusal};
///
/// let refusal = Refusal::new(Reason::RateLimit, "budget `gold` has no tokens left")
///     .kind("tokens")
///     .retry_after(Duration::from_millis(1500));
/// assert_eq!(refusal.status, 429);
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
#[must_use]
pub struct Refusal {
    /// Why.
    pub reason: Reason,
    /// The status. Default: [`Reason::status`].
    pub status: StatusCode,
    /// The machine-readable code in place of [`Reason::code`].
    pub code: Option<Cow<'static, str>>,
    /// The value of `type` in OpenAI's errors in place of the reason's own: `tokens` or `requests`
    /// where it is known which limit was hit.
    pub kind: Option<Cow<'static, str>>,
    /// What the caller reads. Never put a secret or another caller's data here.
    pub message: Cow<'static, str>,
    /// The request parameter at fault. Default: `model` where the reason is about the model.
    pub param: Option<Cow<'static, str>>,
    /// How long to wait before the same request can succeed.
    pub retry_after: Option<Duration>,
    /// What `x-should-retry` says. `None`: `false` where the reason [is final](Reason::is_final),
    /// else the header is left out and the SDK decides.
    pub should_retry: Option<bool>,
    /// Further headers, which replace any of the same name.
    pub headers: HeaderMap,
}

impl Refusal {
    /// A refusal with the defaults of its reason.
    pub fn new(reason: Reason, message: impl Into<Cow<'static, str>>) -> Self {
        let about_model = matches!(reason, Reason::MissingModel | Reason::UnknownModel);
        Self {
            reason,
            status: reason.status(),
            code: None,
            kind: None,
            message: message.into(),
            param: about_model.then_some(Cow::Borrowed("model")),
            retry_after: None,
            should_retry: None,
            headers: HeaderMap::new(),
        }
    }

    /// Answers with another status than the reason's.
    pub fn status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    /// Answers with another code than the reason's, the same in every dialect.
    pub fn code(mut self, code: impl Into<Cow<'static, str>>) -> Self {
        self.code = Some(code.into());
        self
    }

    /// Sets the value of `type` in OpenAI's errors.
    pub fn kind(mut self, kind: impl Into<Cow<'static, str>>) -> Self {
        self.kind = Some(kind.into());
        self
    }

    /// Names the request parameter at fault.
    pub fn param(mut self, param: impl Into<Cow<'static, str>>) -> Self {
        self.param = Some(param.into());
        self
    }

    /// Says how long to wait before the same request can succeed.
    pub fn retry_after(mut self, wait: Duration) -> Self {
        self.retry_after = Some(wait);
        self
    }

    /// Says outright whether the client's SDK should retry.
    pub fn should_retry(mut self, should: bool) -> Self {
        self.should_retry = Some(should);
        self
    }

    /// Adds a header, replacing one of the same name.
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    /// The code as a dialect spells it.
    #[must_use]
    pub fn code_in(&self, dialect: Dialect) -> &str {
        let azure = matches!(dialect, Dialect::AzureOpenAi | Dialect::AzureAi);
        match (&self.code, self.reason) {
            (Some(code), _) => code,
            (None, Reason::OperationNotSupported) if azure => "OperationNotSupported",
            (None, reason) => reason.code(),
        }
    }

    /// Writes the headers of this refusal, all but those that describe a body: waits, whether to
    /// retry, the challenge that RFC 9110 demands of a 401, and [`headers`](Self::headers) last.
    ///
    /// `retry-after` is in whole seconds, rounded up; `retry-after-ms` in milliseconds, rounded up,
    /// is read first by the SDKs of OpenAI and Anthropic. Neither is ever below the wait.
    pub fn write_headers(&self, headers: &mut HeaderMap) {
        if let Some(wait) = self.retry_after {
            let ms = u64::try_from(wait.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX);
            headers.insert(RETRY_AFTER, ms.div_ceil(1000).into());
            headers.insert(RETRY_AFTER_MS, ms.into());
        }
        let final_word = self.reason.is_final().then_some(false);
        if let Some(should) = self.should_retry.or(final_word) {
            let word = if should { "true" } else { "false" };
            headers.insert(X_SHOULD_RETRY, HeaderValue::from_static(word));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        headers.extend(self.headers.clone());
    }

    /// The answer in a dialect, marked as [`Refused`]. To state the refusal in a call's record as
    /// well, make the [`Refused`] first.
    pub fn into_response<M>(self, dialect: Dialect, make: &M) -> Response<bytes::Bytes>
    where
        M: MakeRejection + ?Sized,
    {
        Refused::new(self).respond(dialect, make)
    }
}

impl From<Fault> for Refusal {
    /// The answer that stands for a fault, in the fault's own words.
    fn from(fault: Fault) -> Self {
        Self::new(Reason::Upstream(fault), fault.to_string())
    }
}

const RETRY_AFTER_MS: HeaderName = HeaderName::from_static("retry-after-ms");
const X_SHOULD_RETRY: HeaderName = HeaderName::from_static("x-should-retry");
