use http::{HeaderMap, HeaderName, HeaderValue};

use super::{Left, Wait};

/// The headers that tell callers what they have left.
///
/// What a provider says under OpenAI's names is of another account's limits, and is taken off. Of
/// several limits that tell under the same names the one that refuses does, or else the one that has
/// the least left; limits with other names tell beside them.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Headers {
    /// The limit itself.
    pub limit: Option<HeaderName>,
    /// What is left of it.
    pub remaining: Option<HeaderName>,
    /// How long until all of it is there again, as OpenAI writes it: `12ms`, `1.5s`, `6m0s`.
    pub reset: Option<HeaderName>,
    /// Told as `1` where the store of the limit could not be asked, so that what was chosen for that
    /// case let the call pass.
    pub degraded: Option<HeaderName>,
}

const DEGRADED: HeaderName = HeaderName::from_static("x-ratelimit-degraded");

impl Headers {
    /// OpenAI's for tokens: `x-ratelimit-limit-tokens`, `x-ratelimit-remaining-tokens` and
    /// `x-ratelimit-reset-tokens`; and `x-ratelimit-degraded`.
    #[must_use]
    pub const fn tokens() -> Self {
        Self {
            limit: Some(HeaderName::from_static("x-ratelimit-limit-tokens")),
            remaining: Some(HeaderName::from_static("x-ratelimit-remaining-tokens")),
            reset: Some(HeaderName::from_static("x-ratelimit-reset-tokens")),
            degraded: Some(DEGRADED),
        }
    }

    /// OpenAI's for requests: `x-ratelimit-limit-requests`, `x-ratelimit-remaining-requests` and
    /// `x-ratelimit-reset-requests`; and `x-ratelimit-degraded`.
    #[must_use]
    pub const fn requests() -> Self {
        Self {
            limit: Some(HeaderName::from_static("x-ratelimit-limit-requests")),
            remaining: Some(HeaderName::from_static("x-ratelimit-remaining-requests")),
            reset: Some(HeaderName::from_static("x-ratelimit-reset-requests")),
            degraded: Some(DEGRADED),
        }
    }

    /// No header at all.
    #[must_use]
    pub const fn none() -> Self {
        Self {
            limit: None,
            remaining: None,
            reset: None,
            degraded: None,
        }
    }

    /// The first of them, and of another one, that stands twice or means something by itself.
    pub(crate) fn fault(&self, other: Option<&HeaderName>) -> Option<HeaderName> {
        let Self {
            limit,
            remaining,
            reset,
            degraded,
        } = self;
        let names = [limit, remaining, reset, degraded];
        let names = names.into_iter().flatten().chain(other);
        let names: Vec<_> = names.collect();
        let mut places = names.iter().enumerate();
        let fault = places.find(|(index, name)| {
            !is_free(name) || names.iter().take(*index).any(|before| before == *name)
        });
        fault.map(|(_, name)| (*name).clone())
    }

    /// Takes them off an answer.
    pub(super) fn clear(&self, headers: &mut HeaderMap) {
        let names = [&self.limit, &self.remaining, &self.reset];
        for name in names.into_iter().flatten() {
            headers.remove(name);
        }
    }

    pub(super) fn clear_degraded(&self, headers: &mut HeaderMap) {
        headers.remove(DEGRADED);
        if let Some(name) = &self.degraded {
            headers.remove(name);
        }
    }

    pub(super) fn write_degraded(&self, headers: &mut HeaderMap) {
        if let Some(name) = &self.degraded {
            headers.insert(name, HeaderValue::from_static("1"));
        }
    }

    pub(crate) fn write(&self, limit: u64, left: Left, headers: &mut HeaderMap) {
        if let Some(name) = &self.limit {
            headers.insert(name, limit.into());
        }
        if let Some(name) = &self.remaining {
            headers.insert(name, left.remaining.into());
        }
        if let Some(name) = &self.reset {
            let reset = HeaderValue::try_from(Wait(left.reset).to_string());
            headers.insert(name, reset.unwrap_or(HeaderValue::from_static("0s")));
        }
    }
}

/// Whether a header means nothing to HTTP itself or to clients that wait.
fn is_free(name: &HeaderName) -> bool {
    let name = name.as_str();
    let meant = [
        "connection",
        "date",
        "location",
        "server",
        "set-cookie",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "vary",
        "x-should-retry",
    ];
    !meant.contains(&name) && !name.starts_with("content-") && !name.starts_with("retry-after")
}
