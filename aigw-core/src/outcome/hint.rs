use std::time::{Duration, SystemTime};

use http::{HeaderMap, HeaderValue, header::RETRY_AFTER};

use super::{go_duration, rfc3339};

/// How long a provider asks to wait, read from the headers of its answer.
///
/// | header | value |
/// |---|---|
/// | `retry-after` | seconds, also `2.5`; or an HTTP date |
/// | `retry-after-ms`, `retry_after_ms`, `x-ms-retry-after-ms` | milliseconds, also `1.5` |
/// | `x-ratelimit-reset-{requests,tokens}` | `6m0s`, `20ms`; or seconds |
/// | `anthropic-ratelimit-{requests,tokens,input-tokens,output-tokens}-reset` | an RFC 3339 time |
///
/// Of several valid statements the longest counts, so the wait is never below what was stated. A
/// date that has passed is a wait of zero; a negative number and everything else is no statement.
///
/// The resets of the last two rows stand on successful answers too and say when a window renews,
/// not that it is spent. They count only where none of the first two rows has a valid statement,
/// and each only where its `remaining` twin is absent or at most zero.
///
/// Reading allocates nothing, and never panics whatever the headers say. A wait above
/// [`LONGEST`](Self::LONGEST) is cut to it, so that it can be added to any instant.
///
/// # Examples
///
/// ```
/// use std::time::{Duration, SystemTime};
///
/// use aigw_core::outcome::RetryHint;
/// use http::{HeaderMap, HeaderValue};
///
/// let mut headers = HeaderMap::new();
/// headers.insert("retry-after", HeaderValue::from_static("2"));
/// headers.insert("retry-after-ms", HeaderValue::from_static("1500"));
/// let hint = RetryHint::read(&headers, SystemTime::now()).unwrap();
/// assert_eq!(hint.wait(), Duration::from_secs(2));
/// assert_eq!(hint.capped(Duration::from_secs(1)), Duration::from_secs(1));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RetryHint(Duration);

impl RetryHint {
    /// The longest wait that is told apart: about 136 years.
    pub const LONGEST: Duration = Duration::from_secs(u32::MAX as u64);

    /// Reads a wait from headers. `now` is the wall time to which dates relate.
    #[must_use]
    pub fn read(headers: &HeaderMap, now: SystemTime) -> Option<Self> {
        Self::stated(headers, now)
            .or_else(|| Self::renewal(headers, now))
            .map(|wait| Self(wait.min(Self::LONGEST)))
    }

    /// The wait that was stated. Zero means that the provider is ready again.
    #[must_use]
    pub const fn wait(self) -> Duration {
        self.0
    }

    /// The wait, at most `cap`: a provider that asks for hours is not worth waiting for.
    #[must_use]
    pub fn capped(self, cap: Duration) -> Duration {
        self.0.min(cap)
    }

    /// What the headers that mean a wait say.
    fn stated(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
        let seconds = longest(headers, RETRY_AFTER.as_str(), |value| {
            seconds(value).or_else(|| Some(until(httpdate::parse_http_date(value).ok()?, now)))
        });
        let ms = MILLISECONDS.into_iter();
        ms.filter_map(|name| longest(headers, name, milliseconds))
            .chain(seconds)
            .max()
    }

    /// When the last of the spent limits renews.
    fn renewal(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
        let wait = |value: &str| {
            seconds(value)
                .or_else(|| go_duration::parse(value))
                .or_else(|| Some(until(rfc3339::parse(value)?, now)))
        };
        let spent = RESETS
            .into_iter()
            .filter(|(_, remaining)| is_spent(headers, remaining));
        spent
            .filter_map(|(reset, _)| longest(headers, reset, wait))
            .max()
    }
}

/// The first is what OpenAI's and Anthropic's SDKs read, the last what Azure's services send; the
/// one with underscores comes from mock servers of Azure OpenAI.
const MILLISECONDS: [&str; 3] = ["retry-after-ms", "retry_after_ms", "x-ms-retry-after-ms"];

/// Each reset with its `remaining` twin: OpenAI's, which are durations, and Anthropic's, which are
/// times. No value can be mistaken for one of the other kind.
const RESETS: [(&str, &str); 6] = [
    (
        "x-ratelimit-reset-requests",
        "x-ratelimit-remaining-requests",
    ),
    ("x-ratelimit-reset-tokens", "x-ratelimit-remaining-tokens"),
    (
        "anthropic-ratelimit-requests-reset",
        "anthropic-ratelimit-requests-remaining",
    ),
    (
        "anthropic-ratelimit-tokens-reset",
        "anthropic-ratelimit-tokens-remaining",
    ),
    (
        "anthropic-ratelimit-input-tokens-reset",
        "anthropic-ratelimit-input-tokens-remaining",
    ),
    (
        "anthropic-ratelimit-output-tokens-reset",
        "anthropic-ratelimit-output-tokens-remaining",
    ),
];

/// The longest wait that the values of one header state.
fn longest(
    headers: &HeaderMap,
    name: &str,
    wait: impl Fn(&str) -> Option<Duration>,
) -> Option<Duration> {
    let values = headers.get_all(name).into_iter().filter_map(text);
    values.filter_map(wait).max()
}

/// Whether nothing is left of a limit, as far as its `remaining` header says. One that cannot be
/// read says nothing.
fn is_spent(headers: &HeaderMap, remaining: &str) -> bool {
    let left = headers.get(remaining).and_then(text).and_then(number);
    left.is_none_or(|left| left <= 0.0)
}

fn text(value: &HeaderValue) -> Option<&str> {
    // Not `to_str`: Go's microseconds may be spelt with a Greek letter.
    str::from_utf8(value.as_bytes()).ok().map(str::trim)
}

fn seconds(value: &str) -> Option<Duration> {
    let seconds = number(value)?;
    (seconds >= 0.0).then(|| Duration::try_from_secs_f64(seconds).unwrap_or(RetryHint::LONGEST))
}

fn milliseconds(value: &str) -> Option<Duration> {
    let ms = number(value)?;
    (ms >= 0.0).then(|| Duration::try_from_secs_f64(ms / 1000.0).unwrap_or(RetryHint::LONGEST))
}

/// A number in digits. Rust reads `inf` and `nan` as numbers as well: not here.
fn number(value: &str) -> Option<f64> {
    let digits = value
        .bytes()
        .all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
    if digits { value.parse().ok() } else { None }
}

/// How long until a time; zero if it has passed.
fn until(time: SystemTime, now: SystemTime) -> Duration {
    time.duration_since(now).unwrap_or(Duration::ZERO)
}
