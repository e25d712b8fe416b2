use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
};

use http::StatusCode;
use memchr::memmem;

use super::IncludeUsage;
use crate::{
    call::Call,
    dialect::{Dialect, Operation},
};

/// Decides whether to ask a backend for the usage of a stream, and remembers which models refuse.
#[derive(Clone, Debug)]
pub(super) struct Asking {
    include_usage: IncludeUsage,
    refused: Arc<Mutex<HashSet<Box<str>>>>,
}

/// How many models that refuse are remembered.
const REMEMBERED: usize = 1024;

impl Asking {
    pub(super) fn new(include_usage: IncludeUsage) -> Self {
        Self {
            include_usage,
            refused: Arc::default(),
        }
    }

    /// Whether to ask for the usage of this call's answer.
    pub(super) fn asks(&self, call: &Call, model: Option<&str>) -> bool {
        let knows = matches!(call.operation(), Operation::Chat | Operation::Completions)
            && matches!(
                call.dialect(),
                Dialect::OpenAi | Dialect::AzureOpenAi | Dialect::AzureAi
            );
        let unasked = call.streams() && call.asks_usage() != Some(true);
        self.include_usage == IncludeUsage::Auto
            && knows
            && unasked
            && !self.refused().contains(model.unwrap_or_default())
    }

    /// Asks this model no more.
    pub(super) fn refuse(&self, model: Option<&str>) {
        let mut refused = self.refused();
        if refused.len() < REMEMBERED {
            refused.insert(model.unwrap_or_default().into());
        }
    }

    fn refused(&self) -> std::sync::MutexGuard<'_, HashSet<Box<str>>> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether an answer of this status may be a refusal of the question.
pub(super) fn may_refuse(status: StatusCode) -> bool {
    matches!(
        status,
        StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY
    )
}

/// Whether an error body is about the question.
pub(super) fn is_refusal(body: &[u8]) -> bool {
    [&b"stream_options"[..], b"include_usage"]
        .iter()
        .any(|word| memmem::find(body, word).is_some())
}
