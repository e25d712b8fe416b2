use std::{
    any::Any,
    fmt::Debug,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use http::Extensions;

/// Something that a layer learnt about a call and that layers outside it may report: its consumer,
/// its backend, its refusal.
///
/// Each fact is a type of its own, defined and documented by the layer that states it. Implemented
/// for every type that can be one.
pub trait Fact: Any + Debug + Send + Sync {}

impl<T: Any + Debug + Send + Sync> Fact for T {}

/// The facts of one call, in the order in which they were learnt.
///
/// One record accompanies a call through the whole stack. Who calls ([`Consumer`](crate::key::Consumer),
/// [`ClientAddr`](crate::key::ClientAddr)) is stated by the outermost layers, and inner ones may
/// decide by it. Every other fact flows outward only: an inner layer states it, an outer one reports
/// it when the call is over, and no policy decides by another's.
///
/// # Examples
///
/// ```
/// use aigw_core::call::Record;
///
/// #[derive(Debug, PartialEq)]
/// struct Backend(&'static str);
///
/// let record = Record::default();
/// record.state(Backend("east"));
/// record.state(Backend("west"));
/// assert_eq!(*record.latest::<Backend>().unwrap(), Backend("west"));
/// assert_eq!(record.all::<Backend>().len(), 2);
/// ```
#[derive(Debug, Default)]
pub struct Record {
    facts: Mutex<Vec<Arc<dyn Fact>>>,
}

impl Record {
    /// The record in a request's extensions, put there if it was missing.
    ///
    /// A layer that reports a call's facts calls this before it calls the inner service, so that
    /// refusals are seen too.
    pub fn of(extensions: &mut Extensions) -> Arc<Self> {
        extensions.get_or_insert_with(Arc::<Self>::default).clone()
    }

    /// Adds a fact. Nothing is ever taken back or replaced.
    pub fn state(&self, fact: impl Fact) {
        self.state_shared(Arc::new(fact));
    }

    /// Adds a fact that is the same in many calls, without a copy of it.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::sync::Arc;
    ///
    /// use aigw_core::{call::Record, key::Consumer};
    ///
    /// let consumer = Arc::new(Consumer::new("team-a"));
    /// let record = Record::default();
    /// record.state_shared(Arc::clone(&consumer));
    /// assert!(Arc::ptr_eq(&record.latest().unwrap(), &consumer));
    /// ```
    pub fn state_shared(&self, fact: Arc<impl Fact>) {
        self.facts().push(fact);
    }

    /// The last fact of a type.
    #[must_use]
    pub fn latest<F: Fact>(&self) -> Option<Arc<F>> {
        self.facts().iter().rev().find_map(of_type)
    }

    /// Every fact of a type, oldest first.
    #[must_use]
    pub fn all<F: Fact>(&self) -> Vec<Arc<F>> {
        self.facts().iter().filter_map(of_type).collect()
    }

    fn facts(&self) -> MutexGuard<'_, Vec<Arc<dyn Fact>>> {
        self.facts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn of_type<F: Fact>(fact: &Arc<dyn Fact>) -> Option<Arc<F>> {
    Arc::downcast(Arc::clone(fact) as Arc<dyn Any + Send + Sync>).ok()
}
