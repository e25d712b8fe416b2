use std::{sync::Arc, time::Instant};

use crate::usage::{Kind, Source, Usage};

/// What an answer has shown of itself so far: usage, content, finish, errors, times.
///
/// Valid at any moment, also halfway through a stream and in a `Drop`: nothing is computed at the
/// end that was not true before.
#[derive(Clone, Debug, Default)]
pub struct Meter {
    pub(crate) origin: Origin,
    pub(crate) usage: Usage,
    pub(crate) reads: Reads,
    pub(crate) model: Option<Arc<str>>,
    pub(crate) finish: Option<FinishReason>,
    pub(crate) error: Option<Box<InBandError>>,
    pub(crate) content_bytes: u64,
    pub(crate) media_bytes: u64,
    pub(crate) chunks: u64,
    pub(crate) first_content: Option<Instant>,
    pub(crate) last_content: Option<Instant>,
}

/// Bytes of content that stand for one token when the provider states no count: the usual ratio for
/// English prose.
const BYTES_PER_TOKEN: u64 = 4;

impl Meter {
    /// The meter of an answer that no provider gave: a refusal of our own.
    #[must_use]
    pub fn none() -> Self {
        Self {
            origin: Origin::None,
            ..Self::default()
        }
    }

    /// Who gave the answer.
    #[must_use]
    pub fn origin(&self) -> Origin {
        self.origin
    }

    /// What can be told of the answer besides its bytes.
    #[must_use]
    pub fn reads(&self) -> Reads {
        self.reads
    }

    /// The counts, [reported](Source::Reported) by the provider if it did, else with an output
    /// [counted](Source::Counted) from the content so far.
    #[must_use]
    pub fn usage(&self) -> Usage {
        match self.source() {
            Source::Counted => [(Kind::Output, self.output_estimate())]
                .into_iter()
                .collect(),
            _ => self.usage,
        }
    }

    /// How [`usage`](Self::usage) is known.
    #[must_use]
    pub fn source(&self) -> Source {
        if !self.usage.is_empty() {
            Source::Reported
        } else if self.content_bytes > 0 {
            Source::Counted
        } else {
            Source::Unmeasured
        }
    }

    /// What the provider itself stated; empty when it stated nothing (yet).
    #[must_use]
    pub fn reported(&self) -> &Usage {
        &self.usage
    }

    /// Tokens of output so far, estimated from the content that passed (4 bytes of UTF-8 each,
    /// rounded up).
    #[must_use]
    pub fn output_estimate(&self) -> u64 {
        self.content_bytes.div_ceil(BYTES_PER_TOKEN)
    }

    /// Bytes of generated content that passed: text, thinking, tool arguments, refusals, as UTF-8
    /// after JSON unescaping.
    #[must_use]
    pub fn content_bytes(&self) -> u64 {
        self.content_bytes
    }

    /// Bytes of generated sound and images that passed, in the base64 that carries them. No tokens
    /// are estimated from them.
    #[must_use]
    pub fn media_bytes(&self) -> u64 {
        self.media_bytes
    }

    /// What passed of content, whatever it is.
    pub(super) fn carried(&self) -> u64 {
        self.content_bytes.saturating_add(self.media_bytes)
    }

    /// Events, or whole answers, that carried content.
    #[must_use]
    pub fn chunks(&self) -> u64 {
        self.chunks
    }

    /// The model that says it answered, which need not be the one that was asked.
    #[must_use]
    pub fn model(&self) -> Option<&str> {
        self.model.as_deref()
    }

    /// Why the model stopped, once it said so.
    #[must_use]
    pub fn finish(&self) -> Option<&FinishReason> {
        self.finish.as_ref()
    }

    /// The error that the provider reported inside an answer that had begun with success.
    #[must_use]
    pub fn in_band_error(&self) -> Option<&InBandError> {
        self.error.as_deref()
    }

    /// When the first content passed.
    #[must_use]
    pub fn first_content(&self) -> Option<Instant> {
        self.first_content
    }

    /// When the latest content passed.
    #[must_use]
    pub fn last_content(&self) -> Option<Instant> {
        self.last_content
    }
}

/// Who gave an answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Origin {
    /// A provider.
    #[default]
    Provider,
    /// A cache of ours; no provider was asked.
    Cache,
    /// Nobody: a refusal of our own.
    None,
}

/// What a [`Meter`] reads of its answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reads {
    /// Nothing: it is encoded, in a form that nobody knows, or says nothing that is measured.
    #[default]
    Nothing,
    /// One JSON document, which is known once it is over.
    Document,
    /// A stream of events, which is known as it comes.
    Events,
}

/// Why the model stopped, in OpenAI's words where there is one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FinishReason {
    /// A natural end or a stop sequence.
    Stop,
    /// The output cap or the context window.
    Length,
    /// The model calls tools.
    ToolCalls,
    /// The provider's filter.
    ContentFilter,
    /// Anything else, in the provider's word.
    Other(Box<str>),
}

impl FinishReason {
    /// The reason for a provider's word.
    #[must_use]
    pub fn from_word(word: &str) -> Self {
        match word {
            "stop" | "end_turn" | "stop_sequence" | "STOP" | "completed" => Self::Stop,
            "length"
            | "max_tokens"
            | "MAX_TOKENS"
            | "max_output_tokens"
            | "model_context_window_exceeded" => Self::Length,
            "tool_calls" | "tool_use" | "function_call" => Self::ToolCalls,
            "content_filter" | "refusal" | "SAFETY" | "RECITATION" | "BLOCKLIST"
            | "PROHIBITED_CONTENT" | "SPII" | "IMAGE_SAFETY" => Self::ContentFilter,
            other => Self::Other(other.into()),
        }
    }

    /// The word that logs and metrics use.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Stop => "stop",
            Self::Length => "length",
            Self::ToolCalls => "tool_calls",
            Self::ContentFilter => "content_filter",
            Self::Other(word) => word,
        }
    }
}

/// An error that a provider reported inside a successful answer, such as an overload in the middle
/// of a stream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct InBandError {
    /// The provider's code, type or status, whichever came first; at most 256 bytes.
    pub code: Option<Box<str>>,
    /// The provider's text; at most 256 bytes.
    pub message: Option<Box<str>>,
}
