//! How the file writes durations, and where its strings may come from.

use std::{fs, time::Duration};

use serde::{Deserialize, Deserializer, de};
use toml::Value;

use super::Error;

/// Replaces every string `env:NAME` and `file:PATH` in a document by what it names.
pub(super) fn resolve(value: Value, key: &str) -> Result<Value, Error> {
    let inside = |name: &str| {
        if key.is_empty() {
            name.to_owned()
        } else {
            format!("{key}.{name}")
        }
    };
    Ok(match value {
        Value::String(text) => Value::String(look_up(text).map_err(Error::at(key))?),
        Value::Array(items) => {
            let items = items.into_iter().enumerate();
            let items = items.map(|(index, item)| resolve(item, &format!("{key}[{index}]")));
            Value::Array(items.collect::<Result<_, _>>()?)
        }
        Value::Table(table) => {
            let members = table.into_iter().map(|(name, member)| {
                let member = resolve(member, &inside(&name))?;
                Ok((name, member))
            });
            Value::Table(members.collect::<Result<_, Error>>()?)
        }
        other => other,
    })
}

fn look_up(text: String) -> Result<String, String> {
    if let Some(name) = text.strip_prefix("env:") {
        #[expect(clippy::disallowed_methods, reason = "the file says so")]
        std::env::var(name).map_err(|error| format!("the environment variable {name}: {error}"))
    } else if let Some(path) = text.strip_prefix("file:") {
        let read = fs::read_to_string(path).map_err(|error| format!("the file {path}: {error}"))?;
        // Editors end a file with a line break, which no secret has.
        Ok(read.trim_end_matches(['\r', '\n']).to_owned())
    } else {
        Ok(text)
    }
}

/// Reads a duration: `"250ms"`, `"10s"`, `"5m"`, `"2h"`, `"1d"`, or ISO 8601 as `"PT5M"`.
pub(super) fn duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(deserializer)?;
    parse_duration(&text).ok_or_else(|| {
        let expected = "a duration such as \"250ms\", \"10s\", \"5m\" or \"PT5M\"";
        de::Error::invalid_value(de::Unexpected::Str(&text), &expected)
    })
}

/// The same where it may be absent.
pub(super) fn optional_duration<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Duration>, D::Error> {
    duration(deserializer).map(Some)
}

fn parse_duration(text: &str) -> Option<Duration> {
    match text.strip_prefix('P') {
        Some(iso) => {
            let (days, time) = iso.split_once('T').unwrap_or((iso, ""));
            let days = parse_units(days, &[("D", 86_400.0)])?;
            let time = parse_units(time, &[("H", 3_600.0), ("M", 60.0), ("S", 1.0)])?;
            (!iso.is_empty() && !iso.ends_with('T')).then_some(days.checked_add(time)?)
        }
        None => {
            let units = [
                ("ms", 0.001),
                ("s", 1.0),
                ("m", 60.0),
                ("h", 3_600.0),
                ("d", 86_400.0),
            ];
            let unit = text.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
            let known = units.into_iter().find(|(name, _)| *name == unit)?;
            parse_units(text, &[known])
        }
    }
}

/// Numbers, each followed by one of the units, in their order.
fn parse_units(text: &str, units: &[(&str, f64)]) -> Option<Duration> {
    let mut rest = text;
    let mut seconds = 0.0;
    for (unit, length) in units {
        let number = rest.split(|c: char| c.is_ascii_alphabetic()).next()?;
        if let Some(after) = rest
            .strip_prefix(number)
            .and_then(|rest| rest.strip_prefix(unit))
        {
            seconds += number.parse::<f64>().ok()? * length;
            rest = after;
        }
    }
    rest.is_empty()
        .then(|| Duration::try_from_secs_f64(seconds).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_both_ways_to_write_a_duration() {
        let cases = [
            ("250ms", 250),
            ("10s", 10_000),
            ("1.5s", 1_500),
            ("5m", 300_000),
            ("2h", 7_200_000),
            ("1d", 86_400_000),
            ("PT5M", 300_000),
            ("PT1H30M", 5_400_000),
            ("P1DT0.5S", 86_400_500),
        ];
        for (text, millis) in cases {
            assert_eq!(
                parse_duration(text),
                Some(Duration::from_millis(millis)),
                "{text}"
            );
        }
    }

    #[test]
    fn refuses_what_is_no_duration() {
        for text in [
            "", "10", "s", "10 s", "-1s", "1m30s", "P", "PT", "PT5", "PT5X", "PT1M1H", "1e3s",
        ] {
            assert_eq!(parse_duration(text), None, "{text}");
        }
    }

    #[test]
    fn a_string_may_name_a_file_and_must_then_name_one_that_is_there() {
        let value = Value::try_from(
            [("key", "file:/nowhere/at/all")]
                .into_iter()
                .collect::<std::collections::HashMap<_, _>>(),
        );
        let error = resolve(value.unwrap(), "").unwrap_err().to_string();
        assert!(
            error.starts_with("key: the file /nowhere/at/all: "),
            "{error}"
        );
    }
}
