use std::{error::Error, fmt};

/// Settings of a token limit that cannot take effect.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConfigError {
    /// There is no budget: every call would pass.
    NoBudget,
    /// Two budgets have this name, and would share a level.
    Duplicate(Box<str>),
    /// A budget that cannot take effect: its name, and why.
    Budget(Box<str>, Box<str>),
    /// A price that cannot take effect: whose, and why.
    Price(Box<str>, Box<str>),
    /// A status that is no error of the caller's.
    Status(u16),
    /// Prompts are to be counted, and the feature `tiktoken` is off.
    NoTokenizer,
    /// A status for refusals by a quota, where there is none.
    StatusWithoutQuota,
    /// A text that is no name of a header.
    NotAHeader(Box<str>),
    /// A name of a header that stands twice, or that means something to HTTP or to clients that
    /// wait.
    Header(Box<str>),
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoBudget => f.write_str("a limiter without a budget limits nothing"),
            Self::Duplicate(name) => write!(f, "two budgets are named `{name}`"),
            Self::Budget(name, fault) => write!(f, "budget `{name}`: {fault}"),
            Self::Price(model, fault) => write!(f, "the price of `{model}`: {fault}"),
            Self::Status(status) => {
                write!(f, "a refusal has a status from 400 to 499, not {status}")
            }
            Self::NoTokenizer => f.write_str("to count prompts needs the feature `tiktoken`"),
            Self::StatusWithoutQuota => f.write_str("there is no quota for `quota_status`"),
            Self::NotAHeader(name) => write!(f, "`{name}` is no name of a header"),
            Self::Header(name) => write!(
                f,
                "the header `{name}` stands twice or has a meaning of its own"
            ),
        }
    }
}

impl Error for ConfigError {}
