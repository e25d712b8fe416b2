use std::{fmt, time::Duration};

use http::{HeaderMap, HeaderName, HeaderValue};

use super::Left;

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
            headers.insert(name, go_duration(left.reset));
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

/// A duration as Go prints it, and OpenAI with it, in milliseconds rounded up.
fn go_duration(duration: Duration) -> HeaderValue {
    let ms = u64::try_from(duration.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX);
    let (hours, minutes, rest) = (ms / 3_600_000, ms / 60_000 % 60, ms % 60_000);
    let text = match (hours, minutes) {
        (0, 0) if rest < 1000 && rest > 0 => format!("{rest}ms"),
        (0, 0) => Seconds(rest).to_string(),
        (0, minutes) => format!("{minutes}m{}", Seconds(rest)),
        (hours, minutes) => format!("{hours}h{minutes}m{}", Seconds(rest)),
    };
    HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static("0s"))
}

/// Milliseconds as seconds, with no more decimals than they need.
struct Seconds(u64);

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, thousandths) = (self.0 / 1000, self.0 % 1000);
        match thousandths {
            0 => write!(f, "{whole}s"),
            _ if thousandths % 100 == 0 => write!(f, "{whole}.{}s", thousandths / 100),
            _ if thousandths % 10 == 0 => write!(f, "{whole}.{:02}s", thousandths / 10),
            _ => write!(f, "{whole}.{thousandths:03}s"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_are_written_as_openai_writes_them() {
        for (ms, text) in [
            (0, "0s"),
            (12, "12ms"),
            (1_000, "1s"),
            (1_500, "1.5s"),
            (1_050, "1.05s"),
            (1_010, "1.01s"),
            (59_007, "59.007s"),
            (360_000, "6m0s"),
            (86_400_000, "24h0m0s"),
            (3_723_450, "1h2m3.45s"),
        ] {
            assert_eq!(go_duration(Duration::from_millis(ms)), text);
        }
        assert_eq!(go_duration(Duration::from_micros(1)), "1ms");
    }
}
