//! The connection of a store.

use redis::{RedisResult, ScriptInvocation, Value, aio::ConnectionLike};

use crate::boxed::Boxed;

/// The answer of Redis that somebody waits for.
pub(super) type Answer = Boxed<RedisResult<Value>>;

/// The connection of a store, whichever it is.
pub(super) struct Line(Box<dyn Fn(ScriptInvocation<'static>) -> Answer + Send + Sync>);

impl Line {
    pub(super) fn new<C>(connection: C) -> Self
    where
        C: ConnectionLike + Clone + Send + Sync + 'static,
    {
        Self(Box::new(move |call| {
            let mut connection = connection.clone();
            // With its script, where Redis has forgotten it.
            Answer::new(async move { call.invoke_async(&mut connection).await })
        }))
    }

    /// Sends a call once its answer is waited for.
    pub(super) fn send(&self, call: ScriptInvocation<'static>) -> Answer {
        (self.0)(call)
    }
}
