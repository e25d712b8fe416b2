use std::{ops::Deref, sync::Arc};

use bytes::Bytes;
use http::{Extensions, Response};

use super::{MakeRejection, Reason, Refusal};
use crate::dialect::Dialect;

/// The typed refusal behind an answer, shared by the answer's extensions and the call's
/// [`Record`](crate::call::Record), where it is a fact.
///
/// # Examples
///
/// ```
/// use aigw_core::{
///     call::Record,
///     dialect::Dialect,
///     reject::{DialectJson, Reason, Refusal, Refused},
/// };
///
/// let record = Record::default();
/// let refused = Refused::new(Refusal::new(Reason::Forbidden, "not for this consumer"));
/// record.state(refused.clone());
/// let response = refused.respond(Dialect::OpenAi, &DialectJson);
///
/// assert_eq!(Refused::of(response.extensions()).unwrap().reason, Reason::Forbidden);
/// assert_eq!(record.latest::<Refused>().unwrap().reason, Reason::Forbidden);
/// ```
#[derive(Clone, Debug)]
pub struct Refused(Arc<Refusal>);

impl Refused {
    /// Shares a refusal.
    #[must_use]
    pub fn new(refusal: Refusal) -> Self {
        Self(Arc::new(refusal))
    }

    /// The refusal behind an answer, or `None` when the answer is not one of our own.
    #[must_use]
    pub fn of(extensions: &Extensions) -> Option<&Self> {
        extensions.get()
    }

    /// The answer in a dialect. Its extensions carry this refusal whatever `make` did, and for
    /// [`Reason::Upstream`] the [`Fault`](crate::outcome::Fault) too, which is where breakers and
    /// fail-over look for it.
    pub fn respond<M>(&self, dialect: Dialect, make: &M) -> Response<Bytes>
    where
        M: MakeRejection + ?Sized,
    {
        let mut response = make.make_rejection(dialect, self);
        response.extensions_mut().insert(self.clone());
        if let Reason::Upstream(fault) = self.reason {
            response.extensions_mut().insert(fault);
        }
        response
    }
}

impl Deref for Refused {
    type Target = Refusal;

    fn deref(&self) -> &Refusal {
        &self.0
    }
}
