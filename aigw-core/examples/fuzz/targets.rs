//! What is fuzzed: inputs to begin with, and what must hold of every one.

mod answers;
mod requests;
mod truncated;

use std::time::{Duration, SystemTime};

use aigw_core::{
    outcome::{Outcome, RetryHint},
    sse::{Lexer, Token},
};
use http::{HeaderMap, HeaderValue, StatusCode};

use crate::mutate::{Random, pieces};

/// Something that reads untrusted bytes.
pub(crate) struct Target {
    pub(crate) name: &'static str,
    pub(crate) seeds: fn() -> Vec<Vec<u8>>,
    /// Panics when something does not hold.
    pub(crate) check: fn(&[u8], &mut Random),
}

pub(crate) const TARGETS: &[Target] = &[
    Target {
        name: "json-request",
        seeds: requests::seeds,
        check: requests::check,
    },
    Target {
        name: "form",
        seeds: requests::form_seeds,
        check: requests::check_form,
    },
    Target {
        name: "answer",
        seeds: answers::seeds,
        check: answers::check,
    },
    Target {
        name: "hide-usage",
        seeds: answers::seeds,
        check: answers::check_hidden,
    },
    Target {
        name: "truncate",
        seeds: answers::seeds,
        check: truncated::check,
    },
    Target {
        name: "sse",
        seeds: answers::seeds,
        check: check_lexer,
    },
    Target {
        name: "hints",
        seeds: hint_seeds,
        check: check_hint,
    },
];

/// The events of a stream: names and data.
fn events(chunks: &[&[u8]]) -> Vec<(Vec<u8>, Vec<u8>)> {
    let (mut lexer, mut events) = (Lexer::new(), Vec::new());
    let (mut name, mut data) = (Vec::new(), Vec::new());
    for chunk in chunks {
        let mut rest = *chunk;
        while let Some(token) = lexer.next(&mut rest) {
            match token {
                Token::Name(piece) => name.extend_from_slice(piece),
                Token::Data(piece) => data.extend_from_slice(piece),
                Token::DataLine => data.push(b'\n'),
                Token::Event => {
                    events.push((std::mem::take(&mut name), std::mem::take(&mut data)));
                }
                _ => {}
            }
        }
        assert!(rest.is_empty(), "the lexer stopped in the middle");
    }
    events
}

fn check_lexer(input: &[u8], random: &mut Random) {
    let whole = events(&[input]);
    assert_eq!(events(&pieces(input, random)), whole, "in pieces");
    let bytes: usize = whole
        .iter()
        .map(|(name, data)| name.len() + data.len())
        .sum();
    assert!(bytes <= input.len(), "more came out than went in");
}

/// Every header in which a wait is stated.
const HINTS: &[&str] = &[
    "retry-after",
    "retry-after-ms",
    "retry_after_ms",
    "x-ms-retry-after-ms",
    "x-ratelimit-reset-requests",
    "x-ratelimit-reset-tokens",
    "anthropic-ratelimit-requests-reset",
    "anthropic-ratelimit-input-tokens-reset",
];

fn hint_seeds() -> Vec<Vec<u8>> {
    let seeds = [
        "1",
        "2.5",
        "1500",
        "6m0s",
        "20ms",
        "1h2m3.5s",
        "120\u{b5}s",
        "Wed, 21 Oct 2026 07:28:00 GMT",
        "Wednesday, 21-Oct-26 07:28:00 GMT",
        "Wed Oct 21 07:28:00 2026",
        "2026-01-31T12:00:00Z",
        "2026-01-31T12:00:00.25+02:30",
    ];
    seeds.map(|seed| seed.as_bytes().to_vec()).into()
}

fn check_hint(input: &[u8], random: &mut Random) {
    let Ok(value) = HeaderValue::from_bytes(input) else {
        return;
    };
    let Some(name) = random.pick(HINTS) else {
        return;
    };
    let headers: HeaderMap = [(http::HeaderName::from_static(name), value)]
        .into_iter()
        .collect();
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_225_600);
    let hint = RetryHint::read(&headers, now).map(RetryHint::wait);
    let outcome = Outcome::classify(StatusCode::TOO_MANY_REQUESTS, &headers, None, now);
    let expected = match hint {
        Some(wait) if !wait.is_zero() => Outcome::Throttled(wait),
        _ => Outcome::Failure,
    };
    assert_eq!(outcome, expected);
}
