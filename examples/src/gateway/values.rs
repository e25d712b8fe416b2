//! Where the file's strings may come from.

use std::{env::VarError, fs};

use toml::Value;

use super::Error;

/// Replaces every string `env:NAME` and `file:PATH` in a document by what it names.
///
/// # Errors
///
/// Names all keys that lead nowhere, so that nobody has to mend one after the other.
pub(super) fn resolve(document: &mut Value) -> Result<(), Error> {
    let mut faults = Vec::new();
    replace(document, "", &mut faults);
    let mut faults = faults.into_iter();
    let Some((key, mut reason)) = faults.next() else {
        return Ok(());
    };
    for (key, fault) in faults {
        reason.push_str(&format!("\n{key}: {fault}"));
    }
    Err(Error::new(key, reason))
}

fn replace(value: &mut Value, key: &str, faults: &mut Vec<(String, String)>) {
    match value {
        Value::String(text) => match look_up(text) {
            Ok(None) => {}
            Ok(Some(named)) => *text = named,
            Err(fault) => faults.push((key.to_owned(), fault)),
        },
        Value::Array(items) => {
            for (index, item) in items.iter_mut().enumerate() {
                replace(item, &format!("{key}[{index}]"), faults);
            }
        }
        Value::Table(table) => {
            for (name, member) in table {
                let inside = if key.is_empty() {
                    name.clone()
                } else {
                    format!("{key}.{name}")
                };
                replace(member, &inside, faults);
            }
        }
        _ => {}
    }
}

/// What a text names, if it names something.
fn look_up(text: &str) -> Result<Option<String>, String> {
    if let Some(name) = text.strip_prefix("env:") {
        #[expect(clippy::disallowed_methods, reason = "the file says so")]
        let value = std::env::var(name);
        value.map(Some).map_err(|error| {
            // The error itself repeats the value, which may be a key.
            let reason = match error {
                VarError::NotPresent => "is not set",
                VarError::NotUnicode(_) => "is not UTF-8",
            };
            format!("the environment variable {name} {reason}")
        })
    } else if let Some(path) = text.strip_prefix("file:") {
        let read = fs::read_to_string(path).map_err(|error| format!("the file {path}: {error}"))?;
        // Editors end a file with a line break, which no secret has.
        Ok(Some(read.trim_end_matches(['\r', '\n']).to_owned()))
    } else {
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_string_that_leads_nowhere_is_named() {
        let text = "a = 'file:/nowhere/at/all'\nb = ['plain', 'env:AIGW_NOT_SET']";
        let mut document = Value::Table(toml::from_str(text).unwrap());
        let error = resolve(&mut document).unwrap_err().to_string();
        let (first, second) = error.split_once('\n').unwrap();
        assert!(
            first.starts_with("a: the file /nowhere/at/all: "),
            "{first}"
        );
        assert_eq!(
            second,
            "b[1]: the environment variable AIGW_NOT_SET is not set"
        );
    }
}
