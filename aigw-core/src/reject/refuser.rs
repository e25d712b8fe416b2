use std::{fmt, sync::Arc};

use http::Response;

use super::{Body, DialectJson, MakeRejection, Refusal, Refused, refused};
use crate::{call::Record, dialect::Dialect, outcome::Fault};

/// Answers for a layer when the call goes no further.
///
/// Holds the layer's [`MakeRejection`], its type erased: a refusal is rare, and every layer would
/// else have one more type parameter.
///
/// # Examples
///
/// ```
/// use aigw_core::{
///     call::Record,
///     dialect::Dialect,
///     reject::{Body, Reason, Refusal, Refused, Refuser},
/// };
/// use http::Response;
///
/// let record = Record::default();
/// let refusal = Refusal::new(Reason::Forbidden, "not for this consumer");
/// let answer: Response<Body<String>> =
///     Refuser::default().refuse(Dialect::OpenAi, &record, refusal);
/// assert_eq!(answer.status(), 403);
/// assert_eq!(record.latest::<Refused>().unwrap().reason, Reason::Forbidden);
/// ```
#[derive(Clone)]
pub struct Refuser(Arc<dyn MakeRejection + Send + Sync>);

impl Refuser {
    /// Answers with what `make` makes.
    pub fn new(make: impl MakeRejection + Send + Sync + 'static) -> Self {
        Self(Arc::new(make))
    }

    /// Answers in the caller's dialect, and states the refusal in the call's record.
    pub fn refuse<B>(
        &self,
        dialect: Dialect,
        record: &Record,
        refusal: Refusal,
    ) -> Response<Body<B>> {
        let reason = Refused::new(refusal);
        record.state(reason.clone());
        refused(reason.respond(dialect, &*self.0))
    }

    /// Answers for a fault. The record is left alone: another attempt may serve the call yet.
    pub fn fault<B>(&self, dialect: Dialect, fault: Fault) -> Response<Body<B>> {
        refused(Refusal::from(fault).into_response(dialect, &*self.0))
    }
}

impl Default for Refuser {
    /// Answers with [`DialectJson`].
    fn default() -> Self {
        Self::new(DialectJson)
    }
}

impl fmt::Debug for Refuser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Refuser").finish_non_exhaustive()
    }
}
