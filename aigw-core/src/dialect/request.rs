//! Where requests state what we want to know, dialect by dialect.

use std::sync::LazyLock;

use super::{Dialect, Operation};
use crate::{
    call::PartKind,
    json::{
        Shape,
        Want::{Begin, Value},
    },
};

/// What a path in a request states.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    Document,
    Model,
    Stream,
    StreamOptions,
    IncludeUsage,
    OutputCap,
    Choices,
    BestOf,
    User,
    PreviousResponse,
    /// The input as one string, or a list whose elements are told one by one.
    InputOrList,
    Part(PartKind),
}

/// The shape of a dialect's requests for an operation.
pub(crate) fn asked(dialect: Dialect, operation: Operation) -> &'static Shape<Asked> {
    match (dialect, operation) {
        (Dialect::Anthropic, _) => &ANTHROPIC,
        (Dialect::Gemini, _) => &GEMINI,
        (_, Operation::Responses) => &RESPONSES,
        _ => &OPENAI,
    }
}

static OPENAI: LazyLock<Shape<Asked>> = LazyLock::new(|| {
    Shape::new(&[
        ("", Asked::Document, Begin),
        ("model", Asked::Model, Value),
        ("stream", Asked::Stream, Value),
        ("stream_options", Asked::StreamOptions, Begin),
        ("stream_options.include_usage", Asked::IncludeUsage, Value),
        ("max_tokens", Asked::OutputCap, Value),
        ("max_completion_tokens", Asked::OutputCap, Value),
        ("n", Asked::Choices, Value),
        ("best_of", Asked::BestOf, Value),
        ("user", Asked::User, Value),
        ("safety_identifier", Asked::User, Value),
        ("messages", Asked::InputOrList, Value),
        ("messages.*", Asked::Part(PartKind::Message), Value),
        ("prompt", Asked::Part(PartKind::Input), Value),
        ("input", Asked::Part(PartKind::Input), Value),
        ("tools", Asked::Part(PartKind::Tools), Value),
        ("functions", Asked::Part(PartKind::Tools), Value),
        ("response_format", Asked::Part(PartKind::Format), Value),
    ])
});

static RESPONSES: LazyLock<Shape<Asked>> = LazyLock::new(|| {
    Shape::new(&[
        ("", Asked::Document, Begin),
        ("model", Asked::Model, Value),
        ("stream", Asked::Stream, Value),
        ("max_output_tokens", Asked::OutputCap, Value),
        ("user", Asked::User, Value),
        ("safety_identifier", Asked::User, Value),
        ("previous_response_id", Asked::PreviousResponse, Value),
        ("instructions", Asked::Part(PartKind::System), Value),
        ("input", Asked::InputOrList, Value),
        ("input.*", Asked::Part(PartKind::Message), Value),
        ("tools", Asked::Part(PartKind::Tools), Value),
        ("text", Asked::Part(PartKind::Format), Value),
    ])
});

static ANTHROPIC: LazyLock<Shape<Asked>> = LazyLock::new(|| {
    Shape::new(&[
        ("", Asked::Document, Begin),
        ("model", Asked::Model, Value),
        ("stream", Asked::Stream, Value),
        ("max_tokens", Asked::OutputCap, Value),
        ("metadata.user_id", Asked::User, Value),
        ("system", Asked::Part(PartKind::System), Value),
        ("messages", Asked::InputOrList, Value),
        ("messages.*", Asked::Part(PartKind::Message), Value),
        ("tools", Asked::Part(PartKind::Tools), Value),
    ])
});

static GEMINI: LazyLock<Shape<Asked>> = LazyLock::new(|| {
    Shape::new(&[
        ("", Asked::Document, Begin),
        ("generationConfig.maxOutputTokens", Asked::OutputCap, Value),
        (
            "generation_config.max_output_tokens",
            Asked::OutputCap,
            Value,
        ),
        ("generationConfig.candidateCount", Asked::Choices, Value),
        ("generation_config.candidate_count", Asked::Choices, Value),
        (
            "generationConfig.responseSchema",
            Asked::Part(PartKind::Format),
            Value,
        ),
        ("systemInstruction", Asked::Part(PartKind::System), Value),
        ("system_instruction", Asked::Part(PartKind::System), Value),
        ("contents", Asked::InputOrList, Value),
        ("contents.*", Asked::Part(PartKind::Message), Value),
        ("content", Asked::Part(PartKind::Input), Value),
        ("requests", Asked::Part(PartKind::Input), Value),
        ("tools", Asked::Part(PartKind::Tools), Value),
    ])
});
