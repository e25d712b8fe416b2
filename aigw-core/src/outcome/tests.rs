use std::time::{Duration, SystemTime};

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use proptest::prelude::*;

use super::*;
use crate::meter::Ending;

/// 2026-01-01T00:00:00Z.
fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_225_600)
}

fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
    pairs
        .iter()
        .map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap()))
        .collect()
}

fn wait_ms(pairs: &[(&'static str, &str)]) -> Option<u128> {
    RetryHint::read(&headers(pairs), now()).map(|hint| hint.wait().as_millis())
}

#[test]
fn retry_after_is_read_in_every_form_and_garbage_is_none() {
    let cases = [
        ("2", Some(2_000)),
        (" 2 ", Some(2_000)),
        ("2.5", Some(2_500)),
        ("0", Some(0)),
        ("-0", Some(0)),
        ("-1", None),
        ("-0.5", None),
        ("1e9", Some(1_000_000_000_000)),
        ("1e300", Some(u128::from(u32::MAX) * 1000)),
        ("99999999999999999999999", Some(u128::from(u32::MAX) * 1000)),
        ("Thu, 01 Jan 2026 00:01:00 GMT", Some(60_000)),
        ("Thursday, 01-Jan-26 00:01:00 GMT", Some(60_000)),
        ("Thu Jan  1 00:01:00 2026", Some(60_000)),
        ("Wed, 31 Dec 2025 23:59:00 GMT", Some(0)),
        ("", None),
        ("soon", None),
        ("2s", None),
        ("inf", None),
        ("NaN", None),
        ("infinity", None),
        ("1e", None),
        ("--1", None),
        ("2, 3", None),
    ];
    for (value, expected) in cases {
        assert_eq!(wait_ms(&[("retry-after", value)]), expected, "{value}");
    }
}

#[test]
fn every_header_in_milliseconds_is_read() {
    for name in ["retry-after-ms", "retry_after_ms", "x-ms-retry-after-ms"] {
        assert_eq!(wait_ms(&[(name, "1500")]), Some(1_500), "{name}");
        assert_eq!(wait_ms(&[(name, "0.5")]), Some(0), "{name}");
        assert_eq!(wait_ms(&[(name, "-1")]), None, "{name}");
        assert_eq!(wait_ms(&[(name, "5s")]), None, "{name}");
    }
}

#[test]
fn of_several_waits_the_longest_valid_one_counts() {
    let cases: [(&[(&str, &str)], _); 6] = [
        (
            &[("retry-after", "2"), ("retry-after-ms", "1500")],
            Some(2_000),
        ),
        (
            &[("retry-after", "1"), ("retry-after-ms", "1500")],
            Some(1_500),
        ),
        (
            &[("retry-after", "soon"), ("retry-after-ms", "1500")],
            Some(1_500),
        ),
        (
            &[("retry-after", "2"), ("retry-after-ms", "-5")],
            Some(2_000),
        ),
        (&[("retry-after", "2"), ("retry-after", "7")], Some(7_000)),
        (
            &[("retry_after_ms", "3000"), ("x-ms-retry-after-ms", "4000")],
            Some(4_000),
        ),
    ];
    for (pairs, expected) in cases {
        assert_eq!(wait_ms(pairs), expected, "{pairs:?}");
    }
}

#[test]
fn a_reset_counts_only_for_a_spent_limit_and_without_a_stated_wait() {
    let cases: [(&[(&str, &str)], _); 17] = [
        (&[("x-ratelimit-reset-requests", "1s")], Some(1_000)),
        (&[("x-ratelimit-reset-tokens", "6m0s")], Some(360_000)),
        (&[("x-ratelimit-reset-tokens", "20ms")], Some(20)),
        (&[("x-ratelimit-reset-tokens", "1h2m3.5s")], Some(3_723_500)),
        (&[("x-ratelimit-reset-tokens", "60")], Some(60_000)),
        (&[("x-ratelimit-reset-tokens", "later")], None),
        (
            &[
                ("x-ratelimit-reset-tokens", "9s"),
                ("x-ratelimit-remaining-tokens", "0"),
            ],
            Some(9_000),
        ),
        (
            &[
                ("x-ratelimit-reset-tokens", "9s"),
                ("x-ratelimit-remaining-tokens", "5"),
            ],
            None,
        ),
        (
            &[
                ("x-ratelimit-reset-tokens", "9s"),
                ("x-ratelimit-remaining-tokens", "-1"),
            ],
            Some(9_000),
        ),
        (
            // The other limit's twin says nothing about this one.
            &[
                ("x-ratelimit-reset-tokens", "9s"),
                ("x-ratelimit-remaining-requests", "5"),
            ],
            Some(9_000),
        ),
        (
            &[
                ("x-ratelimit-reset-requests", "1s"),
                ("x-ratelimit-remaining-requests", "0"),
                ("x-ratelimit-reset-tokens", "30s"),
                ("x-ratelimit-remaining-tokens", "1000"),
            ],
            Some(1_000),
        ),
        (
            &[
                ("x-ratelimit-reset-requests", "1s"),
                ("x-ratelimit-reset-tokens", "2s"),
            ],
            Some(2_000),
        ),
        (
            &[("retry-after", "1"), ("x-ratelimit-reset-tokens", "6m0s")],
            Some(1_000),
        ),
        (
            &[("retry-after", "0"), ("x-ratelimit-reset-tokens", "6m0s")],
            Some(0),
        ),
        (
            &[
                ("retry-after", "soon"),
                ("x-ratelimit-reset-tokens", "6m0s"),
            ],
            Some(360_000),
        ),
        (
            &[
                (
                    "anthropic-ratelimit-output-tokens-reset",
                    "2026-01-01T00:00:42Z",
                ),
                ("anthropic-ratelimit-output-tokens-remaining", "0"),
                ("anthropic-ratelimit-requests-reset", "2026-01-01T01:00:00Z"),
                ("anthropic-ratelimit-requests-remaining", "12"),
            ],
            Some(42_000),
        ),
        (
            &[("anthropic-ratelimit-tokens-reset", "2025-12-31T00:00:00Z")],
            Some(0),
        ),
    ];
    for (pairs, expected) in cases {
        assert_eq!(wait_ms(pairs), expected, "{pairs:?}");
    }
}

#[test]
fn a_cap_shortens_and_never_lengthens() {
    let hint = RetryHint::read(&headers(&[("retry-after", "1e9")]), now()).unwrap();
    assert_eq!(
        hint.capped(Duration::from_secs(300)),
        Duration::from_secs(300)
    );
    assert_eq!(hint.capped(Duration::MAX), hint.wait());
}

#[test]
fn heads_are_judged_by_status_hint_and_fault() {
    let fault = |kind| Some(Fault::dispatched(kind));
    let throttled = Outcome::Throttled(Duration::from_secs(2));
    let cases = [
        (200, "", None, Outcome::Success),
        (304, "", None, Outcome::Success),
        (200, "2", None, Outcome::Success),
        (429, "2", None, throttled),
        (503, "2", None, throttled),
        (529, "2", None, throttled),
        (429, "", None, Outcome::Failure),
        (429, "0", None, Outcome::Failure),
        (429, "soon", None, Outcome::Failure),
        (503, "Wed, 31 Dec 2025 23:59:00 GMT", None, Outcome::Failure),
        (408, "2", None, Outcome::Failure),
        (500, "2", None, Outcome::Failure),
        (502, "", None, Outcome::Failure),
        (599, "", None, Outcome::Failure),
        (400, "", None, Outcome::Neutral),
        (401, "", None, Outcome::Neutral),
        (404, "", None, Outcome::Neutral),
        (409, "2", None, Outcome::Neutral),
        (413, "", None, Outcome::Neutral),
        (422, "", None, Outcome::Neutral),
        (499, "", None, Outcome::Neutral),
        (502, "", fault(FaultKind::Reset), Outcome::Failure),
        (503, "2", fault(FaultKind::Connect), Outcome::Failure),
        (504, "", fault(FaultKind::HeadersTimeout), Outcome::Failure),
        (502, "", fault(FaultKind::Request), Outcome::Neutral),
    ];
    for (status, retry_after, fault, expected) in cases {
        let status = StatusCode::from_u16(status).unwrap();
        let headers = headers(&[("retry-after", retry_after)]);
        let outcome = Outcome::classify(status, &headers, fault.as_ref(), now());
        assert_eq!(outcome, expected, "{status} {retry_after:?} {fault:?}");
    }
}

#[test]
fn endings_are_judged_by_whose_doing_they_are() {
    let fault = |kind| Ending::Fault(Fault::dispatched(kind));
    let cases = [
        (Ending::Complete, Outcome::Success),
        (fault(FaultKind::IdleTimeout), Outcome::Failure),
        (fault(FaultKind::Truncated), Outcome::Failure),
        (fault(FaultKind::Request), Outcome::Neutral),
        (Ending::InBandError, Outcome::Failure),
        (Ending::Cut("content_safety"), Outcome::Neutral),
        (Ending::Dropped, Outcome::Neutral),
    ];
    for (ending, expected) in cases {
        assert_eq!(Outcome::of_ending(ending), expected, "{ending:?}");
    }
}

const NAMES: [&str; 10] = [
    "retry-after",
    "retry-after-ms",
    "retry_after_ms",
    "x-ms-retry-after-ms",
    "x-ratelimit-reset-requests",
    "x-ratelimit-remaining-requests",
    "x-ratelimit-reset-tokens",
    "anthropic-ratelimit-requests-reset",
    "anthropic-ratelimit-requests-remaining",
    "anthropic-ratelimit-tokens-reset",
];

/// Header values of any bytes that HTTP allows, and such as nearly are numbers or dates.
fn value() -> impl Strategy<Value = HeaderValue> {
    let byte = prop_oneof![Just(b'\t'), 0x20..=0x7e_u8, 0x80..=0xff_u8];
    prop_oneof![
        prop::collection::vec(byte, 0..40),
        "[-+.0-9eEhmsunµ:TZ, ]{0,30}".prop_map(String::into_bytes),
        "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]{0,12})?[-+Z0-9:]{0,6}"
            .prop_map(String::into_bytes),
        "(Mon|Thu|Sat), [0-9]{2} (Jan|Feb) [0-9]{4} [0-9]{2}:[0-9]{2}:[0-9]{2} GMT"
            .prop_map(String::into_bytes),
    ]
    .prop_map(|bytes| HeaderValue::from_bytes(&bytes).unwrap())
}

proptest! {
    #[test]
    fn no_header_value_makes_reading_panic(
        pairs in prop::collection::vec((prop::sample::select(&NAMES[..]), value()), 0..6),
        secs in 0..=i64::MAX as u64 / 2,
    ) {
        let headers = pairs
            .into_iter()
            .map(|(name, value)| (HeaderName::from_static(name), value))
            .collect();
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(secs);
        if let Some(hint) = RetryHint::read(&headers, now) {
            prop_assert!(hint.wait() <= RetryHint::LONGEST);
        }
    }

    #[test]
    fn a_wait_in_seconds_is_never_shortened(ms in 0..=10_000_000_u64) {
        let text = format!("{}", ms as f64 / 1000.0);
        let hint = RetryHint::read(&headers(&[("retry-after", text.as_str())]), now());
        prop_assert_eq!(hint.map(RetryHint::wait), Some(Duration::from_millis(ms)));
    }
}
