//! Durations as Go prints them, which is how OpenAI states the renewal of its limits.

use std::time::Duration;

use super::RetryHint;

/// Reads `1s`, `6m0s`, `20ms`, `1h2m3.5s`. Negative durations and bare numbers are refused.
pub(super) fn parse(text: &str) -> Option<Duration> {
    if text.is_empty() {
        return None;
    }
    let mut rest = text;
    let mut total = Duration::ZERO;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, unit) = rest.split_at_checked(end)?;
        let end = unit
            .find(|c: char| c.is_ascii_digit() || c == '.')
            .unwrap_or(unit.len());
        let (unit, next) = unit.split_at_checked(end)?;
        let seconds = number.parse::<f64>().ok()? * seconds_in(unit)?;
        let part = Duration::try_from_secs_f64(seconds).unwrap_or(RetryHint::LONGEST);
        total = total.saturating_add(part);
        rest = next;
    }
    Some(total)
}

fn seconds_in(unit: &str) -> Option<f64> {
    match unit {
        "ns" => Some(1e-9),
        // The micro sign and the Greek letter mu: Go reads both.
        "us" | "\u{b5}s" | "\u{3bc}s" => Some(1e-6),
        "ms" => Some(1e-3),
        "s" => Some(1.0),
        "m" => Some(60.0),
        "h" => Some(3600.0),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_go_prints_is_read() {
        let cases = [
            ("0s", Some(0)),
            ("1s", Some(1_000)),
            ("20ms", Some(20)),
            ("6m0s", Some(360_000)),
            ("1h2m3.5s", Some(3_723_500)),
            ("8.64s", Some(8_640)),
            ("1500us", Some(1) /* and a half */),
            ("", None),
            ("s", None),
            ("1", None),
            ("1s2", None),
            ("-1s", None),
            ("1.2.3s", None),
            (".s", None),
            ("1 s", None),
            ("1d", None),
        ];
        for (text, ms) in cases {
            let read = parse(text).map(|duration| duration.as_millis());
            assert_eq!(read, ms, "{text}");
        }
    }

    #[test]
    fn both_spellings_of_micro_are_read() {
        for text in ["120us", "120\u{b5}s", "120\u{3bc}s"] {
            assert_eq!(parse(text), Some(Duration::from_micros(120)), "{text}");
        }
    }
}
