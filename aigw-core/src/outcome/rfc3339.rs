//! Times as RFC 3339 writes them, which is how Anthropic states the renewal of its limits.

use std::time::{Duration, SystemTime};

/// Reads `2026-01-31T12:00:00Z`, with an optional fraction and any offset. Times before 1970 and
/// after 9999 are refused; a leap second is the second after it.
pub(super) fn parse(text: &str) -> Option<SystemTime> {
    let (date, rest) = text.split_at_checked(10)?;
    let (time, rest) = rest.strip_prefix(['T', 't', ' '])?.split_at_checked(8)?;
    let [year, month, day] = fields(date, b'-', [4, 2, 2])?;
    let [hour, minute, second] = fields(time, b':', [2, 2, 2])?;
    let valid = (1..=12).contains(&month)
        && (1..=days_in(year, month)).contains(&day)
        && hour < 24
        && minute < 60
        && second <= 60;
    if !valid {
        return None;
    }
    let (nanos, zone) = fraction(rest)?;
    let seconds = days_before(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second;
    let seconds = u64::try_from(seconds - offset(zone)?).ok()?;
    SystemTime::UNIX_EPOCH.checked_add(Duration::new(seconds, nanos))
}

/// Three numbers of fixed width between separators.
fn fields(text: &str, separator: u8, widths: [usize; 3]) -> Option<[i64; 3]> {
    let mut parts = text.split(char::from(separator));
    let mut next = |width| {
        let part = parts.next()?;
        let digits = part.len() == width && part.bytes().all(|byte| byte.is_ascii_digit());
        if digits { part.parse().ok() } else { None }
    };
    let [first, second, third] = widths;
    Some([next(first)?, next(second)?, next(third)?])
}

/// The nanoseconds of a fraction, which may be absent, and what follows it. Digits beyond the
/// ninth are dropped.
fn fraction(text: &str) -> Option<(u32, &str)> {
    let Some(digits) = text.strip_prefix('.') else {
        return Some((0, text));
    };
    let rest = digits.trim_start_matches(|c: char| c.is_ascii_digit());
    let digits = digits.get(..digits.len() - rest.len())?;
    if digits.is_empty() {
        return None;
    }
    let nanos = digits
        .bytes()
        .chain(std::iter::repeat(b'0'))
        .take(9)
        .fold(0, |nanos, digit| nanos * 10 + u32::from(digit - b'0'));
    Some((nanos, rest))
}

/// The seconds by which a zone is ahead of UTC.
fn offset(zone: &str) -> Option<i64> {
    if matches!(zone, "Z" | "z") {
        return Some(0);
    }
    let sign = match zone.as_bytes().first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let (hours, minutes) = zone.get(1..)?.split_once(':')?;
    let number = |text: &str| {
        let digits = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
        if digits {
            text.parse::<i64>().ok()
        } else {
            None
        }
    };
    let (hours, minutes) = (number(hours)?, number(minutes)?);
    (hours < 24 && minutes < 60).then_some(sign * (hours * 3600 + minutes * 60))
}

/// Days from 1970-01-01 to a date of the Gregorian calendar.
fn days_before(year: i64, month: i64, day: i64) -> i64 {
    // Years that begin in March put the leap day at their end.
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    // From March on, five months make 153 days.
    let in_year = (153 * month + 2) / 5 + day - 1;
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    // 719 468 days lie between 0000-03-01 and 1970-01-01.
    year * 365 + leap_days + in_year - 719_468
}

fn days_in(year: i64, month: i64) -> i64 {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_to_the_nanosecond() {
        let cases = [
            ("1970-01-01T00:00:00Z", Some((0, 0))),
            ("2000-02-29T12:00:00Z", Some((951_825_600, 0))),
            ("2026-01-01T00:00:00Z", Some((1_767_225_600, 0))),
            (
                "2026-01-01t02:30:00.25+02:30",
                Some((1_767_225_600, 250_000_000)),
            ),
            (
                "2025-12-31 23:00:00.1234567891-01:00",
                Some((1_767_225_600, 123_456_789)),
            ),
            ("9999-12-31T23:59:59Z", Some((253_402_300_799, 0))),
            ("2016-12-31T23:59:60Z", Some((1_483_228_800, 0))),
            ("1969-12-31T23:59:59Z", None),
            ("2100-02-29T00:00:00Z", None),
            ("2026-13-01T00:00:00Z", None),
            ("2026-00-01T00:00:00Z", None),
            ("2026-01-32T00:00:00Z", None),
            ("2026-01-01T24:00:00Z", None),
            ("2026-01-01T00:00:00", None),
            ("2026-01-01T00:00:00.Z", None),
            ("2026-01-01T00:00:00+0100", None),
            ("2026-01-01T00:00:00+99:00", None),
            ("2026-1-01T00:00:00Z", None),
            ("+026-01-01T00:00:00Z", None),
            ("2026-01-01", None),
            ("", None),
        ];
        for (text, expected) in cases {
            let expected =
                expected.map(|(secs, nanos)| SystemTime::UNIX_EPOCH + Duration::new(secs, nanos));
            assert_eq!(parse(text), expected, "{text}");
        }
    }

    #[test]
    fn every_day_follows_the_one_before() {
        let mut expected = 0;
        for year in 1970..2401 {
            for month in 1..=12 {
                for day in 1..=days_in(year, month) {
                    assert_eq!(days_before(year, month, day), expected);
                    expected += 1;
                }
            }
        }
    }
}
