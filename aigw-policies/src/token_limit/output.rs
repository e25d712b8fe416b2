use aigw_core::{call::Call, dialect::Operation, key::Consumer};

use serde::de::IgnoredAny;

use super::learned::{Learned, Whose};

/// How many tokens of output a call is expected to use, and is charged with until it is known.
///
/// Less than what it then uses is a debt, more than that keeps others out for as long as the answer
/// takes. What is not the caller's own cap is a guess. A guess that a rate can hold is waited for,
/// for the wait is short; but no guess refuses a call for good, nor until a period ends: where it is
/// more than a rate can ever hold, or than a quota has left, all that is left is held, if that is
/// more than the prompt.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Output {
    /// The length that nine of ten of the caller's answers from the model did not exceed, else of
    /// all callers', or the caller's own cap (`max_tokens` and its like) where that is less. 1,024
    /// until ten answers of the model were seen; for budgets of a few thousand, better
    /// [`Tokens`](Self::Tokens).
    #[default]
    Learned,
    /// The caller's cap, and so never less than it uses. Callers who set none are expected to use
    /// what is [`Learned`](Self::Learned).
    ClientCap,
    /// So many for each answer, or the caller's cap where that is less.
    Tokens(u64),
}

/// An expected output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Length {
    pub(super) tokens: u64,
    /// It is the caller's cap, and not a guess.
    pub(super) is_cap: bool,
}

impl Output {
    pub(super) fn expected(self, call: &Call, learned: &Learned) -> Length {
        if !writes(call.operation()) {
            return Length::default();
        }
        let guess = || match self {
            Self::Tokens(tokens) => tokens,
            Self::Learned | Self::ClientCap => whose(call, |whose| learned.length(whose)),
        };
        let cap = call.output_cap();
        let (each, is_cap) = match (self, cap) {
            (Self::ClientCap, Some(cap)) => (cap, true),
            (_, Some(cap)) => {
                let guess = guess();
                (guess.min(cap), cap <= guess)
            }
            (_, None) => (guess(), false),
        };
        Length {
            tokens: each.saturating_mul(answers(call)),
            is_cap,
        }
    }
}

/// How many answers are written to a call, each of the length that a cap allows. At least one.
pub(super) fn answers(call: &Call) -> u64 {
    let prompts = match call.operation() {
        Operation::Completions => prompts(call),
        _ => 1,
    };
    call.drafts().max(1).saturating_mul(prompts)
}

/// How many prompts stand in the older completions' `prompt`: a string or a list of tokens is one.
fn prompts(call: &Call) -> u64 {
    let Some(prompt) = call.parts().first() else {
        return 1;
    };
    let is_one = |first: &[u8]| !matches!(first.first(), Some(b'"' | b'['));
    match call.json(prompt) {
        [b'[', elements @ ..] if !is_one(elements.trim_ascii_start()) => {
            let elements = serde_json::from_slice::<Vec<IgnoredAny>>(call.json(prompt));
            elements.map_or(1, |elements| elements.len().max(1) as u64)
        }
        _ => 1,
    }
}

/// Does something with whose answers those to a call are.
pub(super) fn whose<T>(call: &Call, act: impl FnOnce(Whose<'_>) -> T) -> T {
    let consumer = call.record().latest::<Consumer>();
    act(Whose {
        model: call.model().unwrap_or_default(),
        consumer: consumer.as_ref().map(|consumer| &*consumer.id),
    })
}

/// Whether a model writes tokens in answer.
fn writes(operation: Operation) -> bool {
    !matches!(
        operation,
        Operation::Embeddings
            | Operation::Moderations
            | Operation::Models
            | Operation::CountTokens
            | Operation::Other
    )
}
