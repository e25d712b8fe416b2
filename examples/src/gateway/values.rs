//! Where the file's strings may come from.

use std::{env::VarError, fs};

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
        std::env::var(name).map_err(|error| {
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
        Ok(read.trim_end_matches(['\r', '\n']).to_owned())
    } else {
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
