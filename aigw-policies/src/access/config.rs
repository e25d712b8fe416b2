use std::collections::BTreeMap;

use super::key::Key;

/// Who may call, and where they show their keys.
///
/// Read from files with the keys `required`, `key_headers`, `key_query` and a list of `consumer`
/// (feature `serde`). What does not make sense is found by
/// [`AuthenticateLayer::try_new`](super::AuthenticateLayer::try_new).
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(deny_unknown_fields, default))]
#[non_exhaustive]
#[must_use]
pub struct Config {
    pub(super) required: bool,
    pub(super) key_headers: Vec<String>,
    pub(super) key_query: Option<String>,
    pub(super) consumer: Vec<ConsumerConfig>,
}

impl Config {
    /// The headers in which keys are looked for unless set otherwise: where the SDKs of OpenAI,
    /// Azure and Anthropic, callers of Azure API Management and Google's SDK put theirs.
    pub const DEFAULT_KEY_HEADERS: [&str; 5] = [
        "authorization",
        "api-key",
        "x-api-key",
        "ocp-apim-subscription-key",
        "x-goog-api-key",
    ];

    /// Whether a caller without a key is refused, which is the default. Else it is the consumer
    /// [`anonymous`](Self::ANONYMOUS); a key that nobody holds is refused even then.
    pub fn required(mut self, required: bool) -> Self {
        self.required = required;
        self
    }

    /// Whether a caller without a key is refused.
    #[must_use]
    pub fn is_required(&self) -> bool {
        self.required
    }

    /// The id of the consumer that a caller without a key is, where none is
    /// [required](Self::required).
    pub const ANONYMOUS: &str = "anonymous";

    /// The headers in which keys are looked for, in this order, in place of the
    /// [default](Self::DEFAULT_KEY_HEADERS). `authorization` holds a key behind the scheme
    /// `Bearer`, every other header the key alone.
    pub fn key_headers<I>(mut self, names: I) -> Self
    where
        I: IntoIterator<Item: Into<String>>,
    {
        self.key_headers = names.into_iter().map(Into::into).collect();
        self
    }

    /// The parameter of the query in which keys are looked for after the headers. Default: none,
    /// since URLs stand in the logs of every proxy.
    pub fn key_query(mut self, name: impl Into<String>) -> Self {
        self.key_query = Some(name.into());
        self
    }

    /// Those who may call.
    pub fn consumers(&self) -> &[ConsumerConfig] {
        &self.consumer
    }

    /// Adds one who may call.
    pub fn consumer(mut self, consumer: ConsumerConfig) -> Self {
        self.consumer.push(consumer);
        self
    }
}

impl Default for Config {
    /// Requires a key, which nobody has yet.
    fn default() -> Self {
        Self {
            required: true,
            key_headers: Self::DEFAULT_KEY_HEADERS.map(String::from).into(),
            key_query: None,
            consumer: Vec::new(),
        }
    }
}

/// One who may call.
///
/// Read from files with the keys `id`, `keys`, `labels` and `state` (feature `serde`). No error
/// repeats what stands in `keys`. A parser that quotes the file, as `toml::from_str` does, still
/// will: have it read a `toml::Value` first, and that into settings.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(deny_unknown_fields))]
#[non_exhaustive]
#[must_use]
pub struct ConsumerConfig {
    pub(super) id: String,
    #[cfg_attr(feature = "serde", serde(default, deserialize_with = "read::keys"))]
    pub(super) keys: Vec<Key>,
    #[cfg_attr(feature = "serde", serde(default))]
    pub(super) labels: BTreeMap<String, String>,
    #[cfg_attr(feature = "serde", serde(default))]
    pub(super) state: State,
}

impl ConsumerConfig {
    /// A consumer whom limits, metrics and logs know by this name. It needs a [key](Self::key).
    pub fn new(id: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            keys: Vec::new(),
            labels: BTreeMap::new(),
            state: State::Active,
        }
    }

    /// Its name.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// What else is known of it.
    #[must_use]
    pub fn labels(&self) -> &BTreeMap<String, String> {
        &self.labels
    }

    /// Adds a key, of which only the digest is kept. Two at a time let a caller change from one to
    /// the next.
    pub fn key(mut self, key: impl AsRef<str>) -> Self {
        self.keys.push(Key::new(key.as_ref()));
        self
    }

    /// Adds what else is known of it, such as a tier, replacing a label of the same name.
    pub fn label(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.labels.insert(name.into(), value.into());
        self
    }

    /// Sets whether it may call now. Default: [`State::Active`].
    pub fn state(mut self, state: State) -> Self {
        self.state = state;
        self
    }
}

/// Whether a consumer may call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "lowercase"))]
#[non_exhaustive]
pub enum State {
    /// It may.
    #[default]
    Active,
    /// It may not for now, and is told so with a 403.
    Suspended,
}

#[cfg(feature = "serde")]
mod read {
    use serde::{Deserialize, Deserializer, de::Error};

    use super::Key;

    /// Says of anything else only what was expected in its place: serde's own errors quote what
    /// they find, and a list that was forgotten around a key leaves a key.
    pub(super) fn keys<'de, D: Deserializer<'de>>(source: D) -> Result<Vec<Key>, D::Error> {
        let texts = Vec::<String>::deserialize(source)
            .map_err(|_| D::Error::custom("expected a list of keys, each a string"))?;
        Ok(texts.iter().map(|text| Key::new(text)).collect())
    }
}
