//! Durations as people write them in files: `250ms`, `10s`, `5m`, `2h`, `7d`, or ISO 8601 as Azure
//! does, `PT5M`.
//!
//! # Examples
//!
//! ```
//! use std::time::Duration;
//!
//! use aigw_core::duration::parse;
//!
//! assert_eq!(parse("250ms"), Ok(Duration::from_millis(250)));
//! assert_eq!(parse("PT1M30S"), Ok(Duration::from_secs(90)));
//! assert!(parse("10").is_err());
//! ```

#[cfg(feature = "serde")]
use std::borrow::Cow;
use std::{error::Error, fmt, time::Duration};

#[cfg(feature = "serde")]
use serde::{Deserialize, Deserializer, de::Error as _};

/// Reads a duration: a whole number and one of `ms`, `s`, `m`, `h`, `d`, or ISO 8601 with whole
/// days, hours, minutes and seconds.
///
/// # Errors
///
/// Everything else, a bare number above all: nobody can tell its unit. Also what is longer than
/// time can be measured.
pub fn parse(text: &str) -> Result<Duration, ParseError> {
    let duration = match text.strip_prefix('P') {
        Some(iso) => iso_8601(iso),
        None => one_unit(text),
    };
    duration.ok_or(ParseError)
}

fn one_unit(text: &str) -> Option<Duration> {
    let (count, unit) = number(text)?;
    match unit {
        "ms" => Some(Duration::from_millis(count)),
        "s" => Some(Duration::from_secs(count)),
        "m" => seconds(count, 60),
        "h" => seconds(count, 3600),
        "d" => seconds(count, 86_400),
        _ => None,
    }
}

/// What follows the `P`.
fn iso_8601(text: &str) -> Option<Duration> {
    let (days, clock) = match text.split_once('T') {
        Some((days, clock)) if !clock.is_empty() => (days, clock),
        Some(_) => return None,
        None => (text, ""),
    };
    let days = fields(days, &[('D', 86_400)])?;
    let clock = fields(clock, &[('H', 3600), ('M', 60), ('S', 1)])?;
    (!text.is_empty()).then_some(days.checked_add(clock)?)
}

/// The sum of `…H…M…S`, where each may be absent and none may stand twice or out of order.
fn fields(mut text: &str, units: &[(char, u64)]) -> Option<Duration> {
    let mut sum = Duration::ZERO;
    let mut units = units.iter();
    while !text.is_empty() {
        let (count, rest) = number(text)?;
        let unit = rest.chars().next()?;
        let (_, size) = units.find(|(name, _)| *name == unit)?;
        sum = sum.checked_add(seconds(count, *size)?)?;
        text = rest.get(unit.len_utf8()..)?;
    }
    Some(sum)
}

/// A whole number, and what follows it.
fn number(text: &str) -> Option<(u64, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit())?;
    let (digits, rest) = text.split_at_checked(end)?;
    Some((digits.parse().ok()?, rest))
}

fn seconds(count: u64, size: u64) -> Option<Duration> {
    count.checked_mul(size).map(Duration::from_secs)
}

/// Reads a duration from a file, as [`parse`] does: for `#[serde(deserialize_with = "…")]` (feature
/// `serde`).
///
/// # Errors
///
/// As [`parse`].
#[cfg(feature = "serde")]
pub fn deserialize<'de, D: Deserializer<'de>>(source: D) -> Result<Duration, D::Error> {
    let text = Cow::<str>::deserialize(source)?;
    parse(&text).map_err(D::Error::custom)
}

/// The same for a field that may be absent (feature `serde`).
///
/// # Errors
///
/// As [`parse`].
#[cfg(feature = "serde")]
pub fn deserialize_optional<'de, D>(source: D) -> Result<Option<Duration>, D::Error>
where
    D: Deserializer<'de>,
{
    deserialize(source).map(Some)
}

/// A text that is no duration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ParseError;

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a duration such as `250ms`, `10s`, `5m`, `2h`, `7d` or `PT5M`")
    }
}

impl Error for ParseError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_are_read() {
        let cases = [
            ("0s", 0),
            ("10s", 10),
            ("5m", 300),
            ("2h", 7200),
            ("7d", 604_800),
            ("PT5M", 300),
            ("PT1H30M5S", 5405),
            ("P1D", 86_400),
            ("P1DT1S", 86_401),
        ];
        for (text, seconds) in cases {
            assert_eq!(parse(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
    }

    #[test]
    fn what_is_no_duration_is_an_error() {
        let cases = [
            "",
            "s",
            "10",
            "10 s",
            "-1s",
            "1.5s",
            "10S",
            "5min",
            "P",
            "PT",
            "PT5",
            "P5M",
            "PT1S1H",
            "PT1S1S",
            "1h30m",
            "18446744073709551615d",
            "PT18446744073709551615H",
            "5\u{20ac}",
        ];
        for text in cases {
            assert_eq!(parse(text), Err(ParseError), "{text}");
        }
    }
}
