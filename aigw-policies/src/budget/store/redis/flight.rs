//! A call of Redis: decisions that are asked for together, and corrections that ride along.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::{Duration, Instant},
};

use redis::{RedisResult, Value};

use super::{asked::Asked, line::Answer};

/// How long Redis may take over what the driver asks, and over a decision that nobody waits for.
pub(super) const PATIENCE: Duration = Duration::from_secs(2);
const ORPHANED: Duration = Duration::from_secs(30);

/// A call on its way.
pub(super) struct Flight {
    pub(super) decisions: Vec<Arc<Asked>>,
    /// Whether it carries the batch of corrections.
    pub(super) carries: bool,
    pub(super) begun: Instant,
    answer: Answer,
}

impl Flight {
    pub(super) fn new(
        decisions: Vec<Arc<Asked>>,
        carries: bool,
        begun: Instant,
        answer: Answer,
    ) -> Self {
        Self {
            decisions,
            carries,
            begun,
            answer,
        }
    }

    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<RedisResult<Value>> {
        Pin::new(&mut self.answer).poll(cx)
    }

    /// Until when its answer is waited for.
    pub(super) fn patience(&self) -> Option<Instant> {
        if self.carries {
            return Some(self.begun + PATIENCE);
        }
        // Whoever waits for a decision says when that is over.
        (!self.is_waited_for()).then(|| self.begun + ORPHANED)
    }

    /// Whether somebody waits for one of its decisions.
    pub(super) fn is_waited_for(&self) -> bool {
        self.decisions.iter().any(|asked| !asked.is_left())
    }
}
