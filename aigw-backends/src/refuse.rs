use std::{fmt, sync::Arc};

use aigw_core::{
    dialect::Dialect,
    outcome::Fault,
    reject::{self, DialectJson, MakeRejection, Refused},
};
use http::Response;

/// How a layer here answers when the provider is not asked, or does not answer.
///
/// Erased, because a refusal is rare and every layer would else have one more type parameter.
#[derive(Clone)]
pub(crate) struct Refuse(Arc<dyn MakeRejection + Send + Sync>);

impl Refuse {
    pub(crate) fn new(make: impl MakeRejection + Send + Sync + 'static) -> Self {
        Self(Arc::new(make))
    }

    /// Answers in the caller's dialect.
    pub(crate) fn answer<B>(
        &self,
        dialect: Dialect,
        refused: &Refused,
    ) -> Response<reject::Body<B>> {
        reject::refused(refused.respond(dialect, &*self.0))
    }

    /// Answers for a fault. No record hears of it: another attempt may serve the call yet.
    pub(crate) fn fault<B>(&self, dialect: Dialect, fault: Fault) -> Response<reject::Body<B>> {
        self.answer(dialect, &Refused::new(fault.into()))
    }
}

impl Default for Refuse {
    fn default() -> Self {
        Self::new(DialectJson)
    }
}

impl fmt::Debug for Refuse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Refuse")
    }
}
