//! Where answers state what we want to know, dialect by dialect.

use std::sync::LazyLock;

use super::{Dialect, Operation};
use crate::{
    json::{
        Shape,
        Want::{Begin, Length, Value},
    },
    usage::Kind,
};

/// What a path in an answer states.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Field {
    /// The model that answers.
    Model,
    /// What kind of event this is.
    EventType,
    /// Generated content: text, thinking, tool arguments.
    Content,
    /// The same of an answer in one document: a stream repeats there what its events have said.
    WholeContent,
    /// Generated sound or image: content whose bytes stand for no number of tokens.
    Media,
    /// Why the model stopped.
    Finish,
    /// A number of tokens.
    Tokens(Tokens),
    /// Something went wrong, unless it is null.
    Error,
    ErrorCode,
    ErrorMessage,
}

/// How a reported number enters the normal form of [`Usage`](crate::usage::Usage).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tokens {
    /// It is that kind.
    Of(Kind),
    /// It is that kind, which the provider does not count in the whole although we do.
    Beside(Kind),
    /// It is the whole input or output but for what stands beside it.
    Rest(Kind),
}

/// How the events of a stream say that nothing more will come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Terminal {
    /// Every choice has its finish reason, or the stream says `[DONE]`.
    Finish,
    /// One of these event types.
    Event(&'static [&'static str]),
}

/// The reading of one family of answers.
#[derive(Debug)]
pub(crate) struct Form {
    pub(crate) shape: Shape<Field>,
    pub(crate) terminal: Terminal,
}

/// The form of a dialect's answers to an operation; `None` where no answer is known to state
/// anything.
pub(crate) fn form(dialect: Dialect, operation: Operation) -> Option<&'static Form> {
    Some(match (dialect, operation) {
        // A count of tokens uses none.
        (
            _,
            Operation::Models | Operation::Moderations | Operation::CountTokens | Operation::Other,
        ) => return None,
        (Dialect::Anthropic, _) => &ANTHROPIC,
        (Dialect::Gemini, _) => &GEMINI,
        (_, Operation::Chat | Operation::Completions | Operation::Embeddings) => &OPENAI_CHAT,
        (_, Operation::Responses) => &OPENAI_RESPONSES,
        _ => &OPENAI_MEDIA,
    })
}

/// Chat completions, completions and embeddings.
static OPENAI_CHAT: LazyLock<Form> = LazyLock::new(|| Form {
    shape: Shape::new(&[
        ("model", Field::Model, Value),
        ("choices.*.delta.content", Field::Content, Length),
        ("choices.*.delta.refusal", Field::Content, Length),
        ("choices.*.delta.reasoning_content", Field::Content, Length),
        ("choices.*.delta.reasoning", Field::Content, Length),
        (
            "choices.*.delta.tool_calls.*.function.name",
            Field::Content,
            Length,
        ),
        (
            "choices.*.delta.tool_calls.*.function.arguments",
            Field::Content,
            Length,
        ),
        (
            "choices.*.delta.function_call.arguments",
            Field::Content,
            Length,
        ),
        ("choices.*.delta.audio.transcript", Field::Content, Length),
        ("choices.*.delta.audio.data", Field::Media, Length),
        ("choices.*.message.content", Field::Content, Length),
        ("choices.*.message.refusal", Field::Content, Length),
        (
            "choices.*.message.reasoning_content",
            Field::Content,
            Length,
        ),
        ("choices.*.message.reasoning", Field::Content, Length),
        (
            "choices.*.message.tool_calls.*.function.name",
            Field::Content,
            Length,
        ),
        (
            "choices.*.message.tool_calls.*.function.arguments",
            Field::Content,
            Length,
        ),
        (
            "choices.*.message.function_call.arguments",
            Field::Content,
            Length,
        ),
        ("choices.*.message.audio.transcript", Field::Content, Length),
        ("choices.*.message.audio.data", Field::Media, Length),
        ("choices.*.text", Field::Content, Length),
        ("choices.*.finish_reason", Field::Finish, Value),
        ("usage.prompt_tokens", tokens(Kind::Input), Value),
        (
            "usage.prompt_tokens_details.cached_tokens",
            tokens(Kind::CachedInput),
            Value,
        ),
        (
            "usage.prompt_tokens_details.cache_write_tokens",
            tokens(Kind::CacheWrite),
            Value,
        ),
        (
            "usage.prompt_tokens_details.audio_tokens",
            tokens(Kind::InputAudio),
            Value,
        ),
        (
            "usage.prompt_cache_hit_tokens",
            tokens(Kind::CachedInput),
            Value,
        ),
        ("usage.completion_tokens", tokens(Kind::Output), Value),
        (
            "usage.completion_tokens_details.reasoning_tokens",
            tokens(Kind::Reasoning),
            Value,
        ),
        (
            "usage.completion_tokens_details.audio_tokens",
            tokens(Kind::OutputAudio),
            Value,
        ),
        (
            "usage.completion_tokens_details.accepted_prediction_tokens",
            tokens(Kind::AcceptedPrediction),
            Value,
        ),
        (
            "usage.completion_tokens_details.rejected_prediction_tokens",
            tokens(Kind::RejectedPrediction),
            Value,
        ),
        ("error", Field::Error, Begin),
        ("error.code", Field::ErrorCode, Value),
        ("error.type", Field::ErrorCode, Value),
        ("error.message", Field::ErrorMessage, Value),
    ]),
    terminal: Terminal::Finish,
});

/// Responses: the response object, whole or inside the events of its stream.
static OPENAI_RESPONSES: LazyLock<Form> = LazyLock::new(|| Form {
    shape: Shape::new(&[
        ("type", Field::EventType, Value),
        ("delta", Field::Content, Length),
        ("model", Field::Model, Value),
        ("output.*.content.*.text", Field::Content, Length),
        ("output.*.content.*.refusal", Field::Content, Length),
        ("output.*.summary.*.text", Field::Content, Length),
        ("output.*.arguments", Field::Content, Length),
        ("status", Field::Finish, Value),
        ("incomplete_details.reason", Field::Finish, Value),
        ("usage.input_tokens", tokens(Kind::Input), Value),
        (
            "usage.input_tokens_details.cached_tokens",
            tokens(Kind::CachedInput),
            Value,
        ),
        (
            "usage.input_tokens_details.cache_write_tokens",
            tokens(Kind::CacheWrite),
            Value,
        ),
        ("usage.output_tokens", tokens(Kind::Output), Value),
        (
            "usage.output_tokens_details.reasoning_tokens",
            tokens(Kind::Reasoning),
            Value,
        ),
        ("error", Field::Error, Begin),
        ("error.code", Field::ErrorCode, Value),
        ("error.type", Field::ErrorCode, Value),
        ("error.message", Field::ErrorMessage, Value),
        ("code", Field::ErrorCode, Value),
        ("message", Field::ErrorMessage, Value),
        ("response.model", Field::Model, Value),
        ("response.status", Field::Finish, Value),
        ("response.incomplete_details.reason", Field::Finish, Value),
        ("response.usage.input_tokens", tokens(Kind::Input), Value),
        (
            "response.usage.input_tokens_details.cached_tokens",
            tokens(Kind::CachedInput),
            Value,
        ),
        (
            "response.usage.input_tokens_details.cache_write_tokens",
            tokens(Kind::CacheWrite),
            Value,
        ),
        ("response.usage.output_tokens", tokens(Kind::Output), Value),
        (
            "response.usage.output_tokens_details.reasoning_tokens",
            tokens(Kind::Reasoning),
            Value,
        ),
        ("response.error", Field::Error, Begin),
        ("response.error.code", Field::ErrorCode, Value),
        ("response.error.message", Field::ErrorMessage, Value),
    ]),
    terminal: Terminal::Event(&[
        "response.completed",
        "response.incomplete",
        "response.failed",
        "error",
    ]),
});

/// Images and audio.
static OPENAI_MEDIA: LazyLock<Form> = LazyLock::new(|| Form {
    shape: Shape::new(&[
        ("type", Field::EventType, Value),
        ("delta", Field::Content, Length),
        ("audio", Field::Media, Length),
        ("b64_json", Field::Media, Length),
        ("text", Field::WholeContent, Length),
        ("usage.input_tokens", tokens(Kind::Input), Value),
        (
            "usage.input_tokens_details.image_tokens",
            tokens(Kind::InputImage),
            Value,
        ),
        (
            "usage.input_token_details.audio_tokens",
            tokens(Kind::InputAudio),
            Value,
        ),
        ("usage.output_tokens", tokens(Kind::Output), Value),
        (
            "usage.output_tokens_details.image_tokens",
            tokens(Kind::OutputImage),
            Value,
        ),
        ("error", Field::Error, Begin),
        ("error.code", Field::ErrorCode, Value),
        ("error.type", Field::ErrorCode, Value),
        ("error.message", Field::ErrorMessage, Value),
    ]),
    terminal: Terminal::Event(&[
        "image_generation.completed",
        "image_edit.completed",
        "transcript.text.done",
        "speech.audio.done",
        "error",
    ]),
});

/// Messages: the message object, whole or opened by the first event of its stream.
static ANTHROPIC: LazyLock<Form> = LazyLock::new(|| Form {
    shape: Shape::new(&[
        ("type", Field::EventType, Value),
        ("model", Field::Model, Value),
        ("content.*.text", Field::Content, Length),
        ("content.*.thinking", Field::Content, Length),
        // An object: its JSON is what was generated.
        ("content.*.input", Field::Content, Value),
        ("stop_reason", Field::Finish, Value),
        (
            "usage.input_tokens",
            Field::Tokens(Tokens::Rest(Kind::Input)),
            Value,
        ),
        (
            "usage.cache_read_input_tokens",
            beside(Kind::CachedInput),
            Value,
        ),
        (
            "usage.cache_creation_input_tokens",
            beside(Kind::CacheWrite),
            Value,
        ),
        ("usage.output_tokens", tokens(Kind::Output), Value),
        ("message.model", Field::Model, Value),
        (
            "message.usage.input_tokens",
            Field::Tokens(Tokens::Rest(Kind::Input)),
            Value,
        ),
        (
            "message.usage.cache_read_input_tokens",
            beside(Kind::CachedInput),
            Value,
        ),
        (
            "message.usage.cache_creation_input_tokens",
            beside(Kind::CacheWrite),
            Value,
        ),
        ("message.usage.output_tokens", tokens(Kind::Output), Value),
        ("content_block.text", Field::Content, Length),
        ("delta.text", Field::Content, Length),
        ("delta.thinking", Field::Content, Length),
        ("delta.partial_json", Field::Content, Length),
        ("delta.stop_reason", Field::Finish, Value),
        ("error", Field::Error, Begin),
        ("error.type", Field::ErrorCode, Value),
        ("error.message", Field::ErrorMessage, Value),
    ]),
    terminal: Terminal::Event(&["message_stop", "error"]),
});

/// `generateContent`, whole, as events, or as one array of answers.
static GEMINI: LazyLock<Form> = LazyLock::new(|| Form {
    shape: Shape::new(&[
        ("modelVersion", Field::Model, Value),
        ("candidates.*.content.parts.*.text", Field::Content, Length),
        (
            "candidates.*.content.parts.*.functionCall.name",
            Field::Content,
            Length,
        ),
        (
            "candidates.*.content.parts.*.functionCall.args",
            Field::Content,
            Value,
        ),
        (
            "candidates.*.content.parts.*.inlineData.data",
            Field::Media,
            Length,
        ),
        ("candidates.*.finishReason", Field::Finish, Value),
        ("promptFeedback.blockReason", Field::Finish, Value),
        (
            "usageMetadata.promptTokenCount",
            Field::Tokens(Tokens::Rest(Kind::Input)),
            Value,
        ),
        (
            "usageMetadata.cachedContentTokenCount",
            tokens(Kind::CachedInput),
            Value,
        ),
        (
            "usageMetadata.toolUsePromptTokenCount",
            beside(Kind::ToolInput),
            Value,
        ),
        (
            "usageMetadata.candidatesTokenCount",
            Field::Tokens(Tokens::Rest(Kind::Output)),
            Value,
        ),
        (
            "usageMetadata.thoughtsTokenCount",
            beside(Kind::Reasoning),
            Value,
        ),
        ("error", Field::Error, Begin),
        ("error.status", Field::ErrorCode, Value),
        ("error.message", Field::ErrorMessage, Value),
    ])
    .or_array_of_it(),
    terminal: Terminal::Finish,
});

const fn tokens(kind: Kind) -> Field {
    Field::Tokens(Tokens::Of(kind))
}

const fn beside(kind: Kind) -> Field {
    Field::Tokens(Tokens::Beside(kind))
}
