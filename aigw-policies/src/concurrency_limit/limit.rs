use std::{fmt, sync::Arc, time::Duration};

use aigw_core::{
    call::Call,
    key::Dimension,
    reject::{self, Reason, Refusal, Refuser},
    rt::Timer,
};
use http::{HeaderMap, Response};

use super::{
    Config, ConfigError, Handle,
    gate::Class,
    lease::{Leased, Leasing, Lessor},
    places::{Entered, Place, Places},
    wait::Wait,
};
use crate::budget::{Condition, Key};

/// What a layer and its services share.
#[derive(Clone)]
pub(super) struct Limit<T> {
    name: Option<Arc<str>>,
    key: Vec<Dimension>,
    /// That of all calls, where they are counted together.
    common: Arc<Key>,
    when: Option<Condition>,
    low: Option<Condition>,
    timeout: Duration,
    pub(super) places: Places,
    /// Where places are those of all processes.
    pub(super) lessor: Option<Arc<dyn Lessor>>,
    timer: T,
    pub(super) refuser: Refuser,
}

/// Whether a call may go on.
pub(super) enum Admission<T: Timer> {
    /// It needs no place.
    Passed,
    Inside(Place, Class),
    Waiting(Wait<T::Sleep>),
    Refused(Refusal),
}

/// Why a call got no place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Why {
    /// There was none, not even in the queue.
    Full,
    /// Other processes have them all.
    Elsewhere,
    /// None came free in time.
    Late,
    /// The place in the queue went to a call of higher priority.
    Displaced,
}

impl<T> Limit<T> {
    pub(super) fn try_new(config: Config, timer: T) -> Result<Self, ConfigError> {
        let terms = config.terms()?;
        let name = config.name.as_deref().unwrap_or_default();
        Ok(Self {
            common: Arc::new(Key::new(name, [None::<&str>; 0])),
            name: config.name.map(Into::into),
            key: config.key,
            when: config.when,
            low: config.low,
            timeout: config.queue_timeout.unwrap_or_default(),
            places: Places::new(terms),
            lessor: None,
            timer,
            refuser: Refuser::default(),
        })
    }

    /// The answer to a call that got no place.
    pub(super) fn refuse<B>(&self, call: &Call, refusal: Refusal) -> Response<reject::Body<B>> {
        self.refuser.refuse(call.dialect(), call.record(), refusal)
    }

    /// Asks for a lease of this place, where there are leases.
    pub(super) fn lease(&self, place: &Place, class: Class) -> Option<Leasing> {
        let lessor = self.lessor.as_ref()?;
        Some(lessor.lease(place.key(), self.places.terms().most(class)))
    }

    /// Has a place held by its lease.
    pub(super) fn hold(
        &self,
        place: &mut Place,
        class: Class,
        leased: Leased,
    ) -> Result<(), Refusal> {
        match leased {
            Leased::Held(lease) => place.hold(lease),
            Leased::OfShare(lease, processes) => {
                let share = self.places.terms().most(class) / processes.max(1);
                if place.inside() > share.max(1) {
                    return Err(self.refusal(class, Why::Elsewhere));
                }
                place.hold(lease);
            }
            Leased::Full => return Err(self.refusal(class, Why::Elsewhere)),
            Leased::Refused(refusal) => return Err(refusal),
        }
        Ok(())
    }

    /// No `retry-after`: nobody knows when an answer ends.
    pub(super) fn refusal(&self, class: Class, why: Why) -> Refusal {
        let terms = self.places.terms();
        let admits = match class {
            Class::High => format!("admits {} at once", terms.calls),
            Class::Low => {
                let below = terms.calls.saturating_sub(terms.reserve);
                format!("admits those of low priority only while fewer than {below} are under way")
            }
        };
        let message = match why {
            Why::Full if terms.queue > 0 => {
                let queue = terms.queue;
                format!("too many calls: {self} {admits}, and {queue} wait already")
            }
            Why::Full | Why::Elsewhere => format!("too many calls: {self} {admits}"),
            Why::Late => {
                let timeout = self.timeout;
                format!("too many calls: {self} {admits}, and no place came free in {timeout:?}")
            }
            Why::Displaced => {
                format!("too many calls: {self} {admits}, and one of higher priority waits instead")
            }
        };
        Refusal::new(Reason::RateLimit, message).kind("requests")
    }

    /// Whose call it is.
    fn key(&self, call: &Call, headers: &HeaderMap) -> Arc<Key> {
        if self.key.is_empty() {
            return Arc::clone(&self.common);
        }
        let values = self.key.iter().map(|part| part.value(call, headers));
        Arc::new(Key::new(self.common.budget(), values))
    }
}

impl<T: Timer> Limit<T> {
    /// Takes a place for a call, or one in the queue, if it needs one.
    pub(super) fn admit(&self, call: &Call, headers: &HeaderMap) -> Admission<T> {
        let holds = |condition: &Condition| condition.holds(call, headers);
        if !self.when.as_ref().is_none_or(holds) {
            return Admission::Passed;
        }
        let class = if self.low.as_ref().is_some_and(holds) {
            Class::Low
        } else {
            Class::High
        };
        match self.places.enter(self.key(call, headers), class) {
            Entered::Inside(place) => Admission::Inside(place, class),
            Entered::Waiting(waiting) => {
                // Here and not at the first poll: the time runs from when it came.
                let sleep = self.timer.sleep_for(self.timeout);
                Admission::Waiting(Wait::new(waiting, class, sleep))
            }
            Entered::Full => Admission::Refused(self.refusal(class, Why::Full)),
        }
    }
}

impl<T> Limit<T> {
    pub(super) fn handle(&self) -> Handle {
        Handle::new(self.name.clone(), self.places.clone())
    }
}

impl<T> fmt::Display for Limit<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the concurrency limit")?;
        if let Some(name) = &self.name {
            return write!(f, " `{name}`");
        }
        if self.key.is_empty() {
            return f.write_str(" of all calls");
        }
        for (index, part) in self.key.iter().enumerate() {
            let separator = if index == 0 { " by " } else { " and " };
            write!(f, "{separator}{part}")?;
        }
        Ok(())
    }
}

impl<T> fmt::Debug for Limit<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Limit")
            .field("name", &self.name)
            .field("key", &self.key)
            .field("places", &self.places)
            .field("shared", &self.lessor.is_some())
            .finish_non_exhaustive()
    }
}
