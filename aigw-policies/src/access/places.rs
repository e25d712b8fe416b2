use std::{borrow::Cow, fmt::Write};

use aigw_core::dialect::{query, spelling};
use http::{HeaderMap, HeaderName, HeaderValue, Uri, header};

use super::{
    Config, ConfigError,
    error::Flaw,
    keys::{Holder, Keys},
};

/// Where keys are looked for in the head of a request.
#[derive(Clone, Debug)]
pub(super) struct Places {
    headers: Vec<HeaderName>,
    query: Option<Box<str>>,
}

/// What was found there.
#[derive(Debug)]
pub(super) enum Found<'k> {
    /// Nothing that could be a key.
    Nothing,
    /// Keys that nobody holds.
    Unheld,
    /// The key of this one.
    Held(&'k Holder),
}

impl Places {
    pub(super) fn try_new(config: &Config) -> Result<Self, ConfigError> {
        let Config {
            key_headers,
            key_query,
            ..
        } = config;
        if key_headers.is_empty() && key_query.is_none() {
            return Err(ConfigError::new("key_headers", Flaw::NoPlace));
        }
        if key_query.as_ref().is_some_and(String::is_empty) {
            return Err(ConfigError::new("key_query", Flaw::NoQueryName));
        }
        let headers = key_headers.iter().enumerate().map(|(index, name)| {
            HeaderName::try_from(name).map_err(|_| {
                let setting = format!("key_headers[{index}]");
                ConfigError::new(setting, Flaw::NotAHeader(name.clone()))
            })
        });
        Ok(Self {
            headers: headers.collect::<Result<_, _>>()?,
            query: key_query.as_deref().map(Into::into),
        })
    }

    /// Finds the first key that somebody holds, and takes it off the request, with every other one
    /// that somebody holds: nothing further in has a use for them, and a backend must not see them.
    pub(super) fn take<'k>(
        &self,
        keys: &'k Keys,
        headers: &mut HeaderMap,
        uri: &mut Uri,
    ) -> Found<'k> {
        let mut found = Found::Nothing;
        for name in &self.headers {
            let mut ours = false;
            for key in headers
                .get_all(name)
                .iter()
                .filter_map(|it| key_in(name, it))
            {
                ours |= found.add(keys.holder(key));
            }
            if ours && *name == X_GOOG_API_KEY {
                // That it is there tells Google's callers from others where paths are alike.
                headers.insert(name, HeaderValue::from_static(""));
            } else if ours {
                headers.remove(name);
            }
        }
        if let Some(name) = &self.query {
            let mut ours = false;
            for key in query::values(uri.query(), name).filter(|value| !value.is_empty()) {
                ours |= found.add(keys.holder(&unescaped(key)));
            }
            if ours && let Some(rest) = query::without(uri, &[name]) {
                *uri = rest;
            }
        }
        found
    }

    /// The places in the words of a message.
    pub(super) fn describe(&self) -> String {
        let mut words = String::new();
        for name in &self.headers {
            let between = if words.is_empty() { "" } else { ", " };
            let scheme = if *name == header::AUTHORIZATION {
                ": Bearer"
            } else {
                ""
            };
            let _ = write!(words, "{between}`{name}{scheme}`");
        }
        if let Some(name) = &self.query {
            let between = if words.is_empty() { "" } else { ", " };
            let _ = write!(words, "{between}`?{name}=`");
        }
        words
    }
}

impl<'k> Found<'k> {
    /// Notes one more key; whether somebody holds it. The first such key decides.
    fn add(&mut self, holder: Option<&'k Holder>) -> bool {
        match (holder, &self) {
            (Some(holder), Self::Nothing | Self::Unheld) => *self = Self::Held(holder),
            (None, Self::Nothing) => *self = Self::Unheld,
            _ => {}
        }
        holder.is_some()
    }
}

const X_GOOG_API_KEY: HeaderName = HeaderName::from_static("x-goog-api-key");

/// The key in a header's value, if one stands there.
fn key_in<'v>(name: &HeaderName, value: &'v HeaderValue) -> Option<&'v [u8]> {
    let value = value.as_bytes().trim_ascii();
    let key = if *name == header::AUTHORIZATION {
        // The scheme in any case, one or more blanks, the token (RFC 9110, section 11.4).
        let (scheme, token) = value.split_at_checked(BEARER.len())?;
        let behind = token.trim_ascii_start();
        (scheme.eq_ignore_ascii_case(BEARER) && behind.len() < token.len()).then_some(behind)?
    } else {
        value
    };
    (!key.is_empty()).then_some(key)
}

const BEARER: &[u8] = b"bearer";

fn unescaped(value: &str) -> Cow<'_, [u8]> {
    if value.contains('%') {
        spelling::unescaped(value).collect()
    } else {
        Cow::Borrowed(value.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_stands_behind_the_scheme_bearer_or_alone() {
        let key = |name: &'static str, value: &'static str| {
            let value = HeaderValue::from_static(value);
            let key = key_in(&HeaderName::from_static(name), &value)?;
            Some(String::from_utf8(key.to_vec()).unwrap())
        };
        for (value, expected) in [
            ("Bearer k", Some("k")),
            ("bearer k", Some("k")),
            ("BEARER   k ", Some("k")),
            ("Bearer k l", Some("k l")),
            ("Bearer", None),
            ("Bearer ", None),
            ("Bearerk", None),
            ("Basic azprOg==", None),
            ("k", None),
            ("", None),
        ] {
            assert_eq!(key("authorization", value).as_deref(), expected, "{value}");
        }
        for (value, expected) in [
            ("k", Some("k")),
            (" k ", Some("k")),
            ("Bearer k", Some("Bearer k")),
            ("", None),
            ("  ", None),
        ] {
            assert_eq!(key("api-key", value).as_deref(), expected, "{value}");
        }
    }

    #[test]
    fn a_value_of_the_query_is_unescaped_once() {
        assert_eq!(&*unescaped("s%2Dk%2525"), b"s-k%25");
        assert_eq!(&*unescaped("s+k%zz%ff"), b"s+k%zz\xff");
    }
}
