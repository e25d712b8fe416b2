use std::{error::Error, fmt};

use aigw_core::dialect::Dialect;
use http::{HeaderName, HeaderValue, header};

/// What a backend sees in place of the caller's credentials.
///
/// Read from files as `{ api_key = "…" }`, `{ bearer = "…" }`, `"pass-through"` or `"strip"`
/// (feature `serde`). An error never repeats what stands there instead, since it may be a key. A
/// parser that quotes the file, as `toml::from_str` does, still will: have it read a `toml::Value`
/// first, and that into settings.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Credentials {
    /// This key, where the backend's dialect wants a key.
    ApiKey(Secret),
    /// This token, in `authorization`.
    Bearer(Secret),
    /// The caller's own. The caller's key reaches the backend, and so it must be one that the
    /// backend gave to the caller; whoever checks keys of a gateway's own takes those off before.
    PassThrough,
    /// None at all, for a backend that asks for none.
    Strip,
}

impl Credentials {
    /// The header to send, or `None` where there is none to be sent.
    pub(super) fn header(
        &self,
        dialect: Dialect,
    ) -> Result<Option<(HeaderName, HeaderValue)>, ConfigError> {
        let (name, value) = match self {
            Self::PassThrough | Self::Strip => return Ok(None),
            Self::ApiKey(key) => match dialect {
                Dialect::AzureOpenAi | Dialect::AzureAi => (API_KEY, key.plain()?),
                Dialect::Anthropic => (X_API_KEY, key.plain()?),
                Dialect::Gemini => (X_GOOG_API_KEY, key.plain()?),
                _ => (header::AUTHORIZATION, key.bearer()?),
            },
            Self::Bearer(token) => (header::AUTHORIZATION, token.bearer()?),
        };
        Ok(Some((name, value)))
    }
}

pub(super) const API_KEY: HeaderName = HeaderName::from_static("api-key");
pub(super) const X_API_KEY: HeaderName = HeaderName::from_static("x-api-key");
pub(super) const X_GOOG_API_KEY: HeaderName = HeaderName::from_static("x-goog-api-key");

/// A text that is never printed. Read from files as a string (feature `serde`).
#[derive(Clone)]
pub struct Secret(Box<str>);

impl Secret {
    fn plain(&self) -> Result<HeaderValue, ConfigError> {
        self.value("")
    }

    fn bearer(&self) -> Result<HeaderValue, ConfigError> {
        self.value("Bearer ")
    }

    fn value(&self, scheme: &str) -> Result<HeaderValue, ConfigError> {
        let Self(secret) = self;
        if secret.is_empty() {
            return Err(ConfigError::Empty);
        }
        let mut value = HeaderValue::try_from(format!("{scheme}{secret}"))
            .map_err(|_| ConfigError::Unprintable)?;
        value.set_sensitive(true);
        Ok(value)
    }
}

impl<T: Into<Box<str>>> From<T> for Secret {
    fn from(secret: T) -> Self {
        Self(secret.into())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// Credentials that cannot be sent. Never shows them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConfigError {
    /// There is nothing in it.
    Empty,
    /// It holds what no header can: a line break, for instance, as files have at their end.
    Unprintable,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "the credentials are empty",
            Self::Unprintable => "the credentials hold characters that no header can",
        })
    }
}

impl Error for ConfigError {}

#[cfg(feature = "serde")]
mod written {
    use serde::{Deserialize, Deserializer};

    use super::{Credentials, Secret};
    use crate::unquoted;

    #[derive(Deserialize)]
    enum Written {
        #[serde(rename = "api_key")]
        ApiKey(Secret),
        #[serde(rename = "bearer")]
        Bearer(Secret),
        #[serde(rename = "pass-through")]
        PassThrough,
        #[serde(rename = "strip")]
        Strip,
    }

    impl<'de> Deserialize<'de> for Credentials {
        fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
            let expected =
                r#"`{ api_key = "…" }`, `{ bearer = "…" }`, `"pass-through"` or `"strip"`"#;
            Ok(match unquoted::read(source, expected)? {
                Written::ApiKey(key) => Self::ApiKey(key),
                Written::Bearer(token) => Self::Bearer(token),
                Written::PassThrough => Self::PassThrough,
                Written::Strip => Self::Strip,
            })
        }
    }

    impl<'de> Deserialize<'de> for Secret {
        fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
            unquoted::read(source, "a string").map(Self)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_dialect_gets_its_key_where_it_looks_for_it() {
        let cases = [
            (Dialect::OpenAi, "authorization", "Bearer k"),
            (Dialect::AzureOpenAi, "api-key", "k"),
            (Dialect::AzureAi, "api-key", "k"),
            (Dialect::Anthropic, "x-api-key", "k"),
            (Dialect::Gemini, "x-goog-api-key", "k"),
        ];
        for (dialect, name, value) in cases {
            let key = Credentials::ApiKey("k".into());
            let (sent, key) = key.header(dialect).unwrap().unwrap();
            assert_eq!((sent.as_str(), key.as_bytes()), (name, value.as_bytes()));
            assert!(key.is_sensitive());
        }
    }

    #[test]
    fn a_secret_is_never_printed() {
        let credentials = Credentials::Bearer("hush".into());
        assert!(!format!("{credentials:?}").contains("hush"));
        let header = credentials.header(Dialect::OpenAi).unwrap();
        assert!(!format!("{header:?}").contains("hush"));
    }

    #[test]
    fn what_no_header_can_hold_is_an_error_at_once() {
        let header = |secret: &str| Credentials::ApiKey(secret.into()).header(Dialect::OpenAi);
        assert_eq!(header("key\n"), Err(ConfigError::Unprintable));
        assert_eq!(header(""), Err(ConfigError::Empty));
    }
}
