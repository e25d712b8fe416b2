use std::{fmt, sync::Arc};

use aigw_core::{
    call::Call,
    dialect::Dialect,
    outcome::Fault,
    reject::{self, DialectJson, MakeRejection, Refusal, Refused},
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

    /// Answers in the caller's dialect, and states the refusal in the call's record.
    #[cfg(any(feature = "routing", feature = "transform"))]
    pub(crate) fn call<B>(&self, call: &Call, refusal: Refusal) -> Response<reject::Body<B>> {
        let refused = Refused::new(refusal);
        call.record().state(refused.clone());
        reject::refused(refused.respond(call.dialect(), &*self.0))
    }

    /// Answers for a fault. The record is left alone: another attempt may serve the call yet.
    pub(crate) fn fault<B>(&self, dialect: Dialect, fault: Fault) -> Response<reject::Body<B>> {
        reject::refused(Refusal::from(fault).into_response(dialect, &*self.0))
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
