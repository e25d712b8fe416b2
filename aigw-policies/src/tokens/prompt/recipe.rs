//! What stands around the texts of a prompt, by the vendors' own pages.
//!
//! - Messages and functions: OpenAI's cookbook, *How to count tokens with tiktoken*, sections 6 and
//!   7, <https://cookbook.openai.com/examples/how_to_count_tokens_with_tiktoken>. It calls its
//!   figures estimates, "not a timeless guarantee", and so are ours. Responses are framed alike.
//! - Images: see [`Images`].
//! - Audio: OpenAI, *Managing costs* of the realtime API, "1 token per 100 ms" of what a user says,
//!   <https://platform.openai.com/docs/guides/realtime-costs>; Gemini, *Understand and count tokens*,
//!   32 tokens per second, <https://ai.google.dev/gemini-api/docs/tokens>.
//! - Pages of documents: Gemini, *Document understanding*, 258 each,
//!   <https://ai.google.dev/gemini-api/docs/document-processing>; Anthropic, *PDF support*, "typically
//!   1,500-3,000 tokens per page", <https://docs.claude.com/en/docs/build-with-claude/pdf-support>.

use aigw_core::{
    call::Call,
    dialect::{Dialect, Operation},
};

use super::image::Images;

/// The constants for one model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in crate::tokens) struct Recipe {
    framing: Framing,
    function: i64,
    images: Images,
    audio_per_second: u64,
    page: u64,
    /// Whether the form of an answer is a schema and nothing around it.
    bare_schema: bool,
}

/// What is added to the texts of messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Framing {
    /// The input is text and nothing else.
    Bare,
    Messages {
        each: i64,
        name: i64,
    },
}

impl Framing {
    /// Every message follows `<|start|>{role/name}\n{content}<|end|>\n`.
    const CHAT: Self = Self::Messages { each: 3, name: 1 };
    /// The first chat model; where there is a name, the role was left out.
    const CHAT_0301: Self = Self::Messages { each: 4, name: -1 };
}

impl Recipe {
    /// For the properties of functions, which all models share: before the first, before each.
    pub(super) const PROPERTIES: i64 = 3;
    pub(super) const PROPERTY: i64 = 3;
    /// For an enumeration as a whole, and for each value of it.
    pub(super) const ENUM: i64 = -3;
    pub(super) const ENUM_VALUE: i64 = 3;
    /// Behind the last function.
    pub(super) const FUNCTIONS_END: i64 = 12;

    pub(in crate::tokens) fn new(call: &Call, model: &str) -> Self {
        let framing = match call.operation() {
            Operation::Chat if model == "gpt-3.5-turbo-0301" => Framing::CHAT_0301,
            Operation::Chat | Operation::Responses | Operation::CountTokens => Framing::CHAT,
            _ => Framing::Bare,
        };
        // The families of cl100k_base write functions less tersely.
        let older = model.starts_with("gpt-3") || model == "gpt-4" || model.starts_with("gpt-4-");
        let gemini = call.dialect() == Dialect::Gemini;
        Self {
            framing,
            function: if older { 10 } else { 7 },
            images: Images::new(call.dialect(), model),
            audio_per_second: if gemini { 32 } else { 10 },
            page: if gemini { 258 } else { 1500 },
            bare_schema: gemini,
        }
    }

    /// Every answer is primed with `<|start|>assistant<|message|>`.
    pub(super) fn priming(&self) -> i64 {
        match self.framing {
            Framing::Bare => 0,
            Framing::Messages { .. } => 3,
        }
    }

    /// For a message, whose role is among its texts.
    pub(super) fn per_message(&self) -> i64 {
        match self.framing {
            Framing::Bare => 0,
            Framing::Messages { each, .. } => each,
        }
    }

    /// For a message that has no role of its own: each role is one token.
    pub(super) fn per_bare_message(&self) -> i64 {
        match self.framing {
            Framing::Bare => 0,
            Framing::Messages { each, .. } => each + 1,
        }
    }

    /// For the name of a message.
    pub(super) fn per_name(&self) -> i64 {
        match self.framing {
            Framing::Bare => 0,
            Framing::Messages { name, .. } => name,
        }
    }

    /// Before each function.
    pub(super) fn per_function(&self) -> i64 {
        self.function
    }

    pub(super) fn images(&self) -> Images {
        self.images
    }

    pub(super) fn audio_per_second(&self) -> u64 {
        self.audio_per_second
    }

    pub(super) fn bare_schema(&self) -> bool {
        self.bare_schema
    }

    /// For a page of a document.
    pub(super) fn per_page(&self) -> u64 {
        self.page
    }
}
