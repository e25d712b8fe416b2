use std::{error::Error, fmt};

/// [`Config`](super::Config) that cannot take effect. Names consumers, and never a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    setting: String,
    flaw: Flaw,
}

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Flaw {
    NobodyMayCall,
    NoPlace,
    NotAHeader(String),
    NoQueryName,
    NoId,
    DuplicateId(String),
    Anonymous,
    NoKeys(String),
    EmptyKey(String),
    UnsendableKey(String),
    SharedKey(String, String),
}

impl ConfigError {
    pub(super) fn new(setting: impl Into<String>, flaw: Flaw) -> Self {
        Self {
            setting: setting.into(),
            flaw,
        }
    }

    /// The setting at fault, as files spell it: `key_headers[0]`, `consumer[1].keys`.
    #[must_use]
    pub fn setting(&self) -> &str {
        &self.setting
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.flaw {
            Flaw::NobodyMayCall => {
                f.write_str("a key is required, and there is no consumer who has one")
            }
            Flaw::NoPlace => f.write_str("keys are looked for nowhere"),
            Flaw::NotAHeader(name) => write!(f, "`{name}` is not a header name"),
            Flaw::NoQueryName => f.write_str("the name of a query parameter is empty"),
            Flaw::NoId => f.write_str("the id of a consumer is empty"),
            Flaw::DuplicateId(id) => write!(f, "duplicate id `{id}`"),
            Flaw::Anonymous => f.write_str(
                "no consumer can be called `anonymous`, as callers without a key are where none \
                 is required",
            ),
            Flaw::NoKeys(id) => write!(f, "the consumer `{id}` has no key"),
            Flaw::EmptyKey(id) => write!(f, "a key of the consumer `{id}` is empty"),
            Flaw::UnsendableKey(id) => write!(
                f,
                "a key of the consumer `{id}` begins or ends with a blank or holds a control \
                 character, which no header can"
            ),
            Flaw::SharedKey(one, other) => {
                write!(f, "the consumers `{one}` and `{other}` have the same key")
            }
        }
    }
}

impl Error for ConfigError {}
