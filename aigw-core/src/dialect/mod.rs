//! Whose words a call speaks, and what it asks for.
//!
//! A [`Dialect`] is a vendor's way to spell paths, requests, answers and errors; an [`Operation`]
//! is what is asked, in whichever dialect. [`Target::recognize`] reads both from the request head
//! alone, so that a refusal can be shaped before any body is read.
//!
//! # Examples
//!
//! ```
//! use aigw_core::dialect::{Dialect, Operation, Target};
//!
//! let head = http::Request::post("/openai/deployments/prod-4o/chat/completions?api-version=2024-10-21")
//!     .body(())
//!     .unwrap();
//! let target = Target::recognize(head.method(), head.uri(), head.headers());
//! assert_eq!(target.dialect(), Dialect::AzureOpenAi);
//! assert_eq!(target.operation(), Operation::Chat);
//! assert_eq!(target.path_model(), Some("prod-4o"));
//! assert_eq!(target.api_version(), Some("2024-10-21"));
//! ```

mod answer;
mod name;
mod operation;
mod path;
pub mod query;
mod recognize;
mod request;
pub mod spelling;
mod target;

use std::fmt;

#[cfg(feature = "test-util")]
pub(crate) use self::query::query_value;
pub(crate) use self::{
    answer::{Field, Form, Terminal, Tokens, form},
    request::{Asked, asked},
};
pub use self::{name::ParseError, operation::Operation, target::Target};

/// A vendor's spelling of paths, requests, answers and errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Dialect {
    /// `api.openai.com` and everything that imitates it. The dialect of paths that nobody else
    /// claims.
    OpenAi,
    /// Azure OpenAI: `/openai/deployments/{deployment}/…?api-version=` and `/openai/v1/…`.
    AzureOpenAi,
    /// Azure AI model inference: `/models/…`.
    AzureAi,
    /// Anthropic Messages.
    Anthropic,
    /// Google Gemini, `generateContent` and its kin.
    Gemini,
}

impl Dialect {
    /// Every dialect.
    pub const ALL: &[Self] = &[
        Self::OpenAi,
        Self::AzureOpenAi,
        Self::AzureAi,
        Self::Anthropic,
        Self::Gemini,
    ];

    /// The name as configuration and logs spell it, and as [`FromStr`](std::str::FromStr) and serde
    /// (feature `serde`) read it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OpenAi => "openai",
            Self::AzureOpenAi => "azure-openai",
            Self::AzureAi => "azure-ai",
            Self::Anthropic => "anthropic",
            Self::Gemini => "gemini",
        }
    }
}

impl fmt::Display for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
