//! The decision, and what a refusal says.

use std::{fmt, sync::Arc, time::Duration};

use aigw_core::{
    call::Call,
    key::Dimension,
    reject::{self, Refusal, Refuser},
};
use http::{HeaderMap, Response, response};

use super::{Config, ConfigError, gcra::Decide};
use crate::budget::{
    Claim, Condition, Headers, Hold, Key, Left, Limit, Store, Verdict, refusal, told,
};

/// What a layer and its services share.
#[derive(Clone)]
pub(super) struct Limiter<St> {
    name: Box<str>,
    key: Vec<Dimension>,
    limit: Limit,
    when: Option<Condition>,
    way: Way<St>,
    pub(super) headers: Headers,
    pub(super) refuser: Refuser,
}

/// Who decides.
#[derive(Clone)]
pub(super) enum Way<St> {
    Memory(Arc<dyn Decide>),
    Store(St),
}

/// Whether a request may go on.
pub(super) enum Admission<St: Store> {
    Admitted(Passed),
    Asking(St::Reserving),
    Refused(Refusal),
}

/// What is told of a limit that let a request pass.
#[derive(Clone, Copy, Default)]
pub(super) struct Passed {
    /// `None` where the request is not limited, or nobody knows.
    left: Option<Left>,
    is_degraded: bool,
}

impl<St> Limiter<St> {
    pub(super) fn new(config: Config, way: Way<St>) -> Result<Self, ConfigError> {
        if config.when.as_ref().is_some_and(Condition::is_empty) {
            return Err(ConfigError::EmptyCondition);
        }
        Ok(Self {
            name: config.name.unwrap_or_else(|| "requests".into()),
            key: config.key,
            limit: config.limit,
            when: config.when,
            way,
            headers: Headers::requests(),
            refuser: Refuser::default(),
        })
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn limit(&self) -> &Limit {
        &self.limit
    }

    /// Tells what is left.
    pub(super) fn tell(&self, passed: Passed, answer: &mut response::Parts) {
        let limit = self.limit.amount();
        let passed = told::Passed {
            names: &self.headers,
            providers: Headers::requests(),
            left: passed.left.map(|left| (limit, left)),
            is_degraded: passed.is_degraded,
        };
        passed.tell(answer);
    }

    /// Answers that a call is refused.
    pub(super) fn refuse<B>(&self, call: &Call, refusal: Refusal) -> Response<reject::Body<B>> {
        let mut answer = self.refuser.refuse(call.dialect(), call.record(), refusal);
        told::refused(&self.headers, answer.extensions_mut());
        answer
    }

    fn refusal(&self, wait: Duration, left: Left) -> Refusal {
        let message = format!(
            "request limit `{}` ({} requests per {}) is reached; it admits one in {}",
            self.name,
            self.limit.amount(),
            self.limit.span(),
            refusal::Wait(wait),
        );
        let mut refusal = Refusal::new(refusal::reason(&self.limit), message).retry_after(wait);
        self.headers
            .write(self.limit.amount(), left, &mut refusal.headers);
        refusal.kind("requests")
    }

    fn key(&self, call: &Call, headers: &HeaderMap) -> Key {
        let values = self.key.iter().map(|part| part.value(call, headers));
        Key::new(&self.name, values)
    }
}

impl<St: Store> Limiter<St> {
    pub(super) fn admit(&self, call: &Call, headers: &HeaderMap) -> Admission<St> {
        let holds = |condition: &Condition| condition.holds(call, headers);
        if !self.when.as_ref().is_none_or(holds) {
            return Admission::Admitted(Passed::default());
        }
        let key = self.key(call, headers);
        match &self.way {
            Way::Memory(gcra) => match gcra.decide(key.as_str()) {
                Ok(left) => Admission::Admitted(Passed {
                    left: Some(left),
                    is_degraded: false,
                }),
                Err((wait, left)) => Admission::Refused(self.refusal(wait, left)),
            },
            Way::Store(store) => Admission::Asking(store.reserve(vec![Claim {
                key,
                limit: self.limit,
                amount: 1,
            }])),
        }
    }

    /// What the store's verdict means.
    pub(super) fn conclude(&self, verdict: Verdict) -> Result<Passed, Refusal> {
        match verdict {
            Verdict::Admitted(holds) => {
                let passed = Passed {
                    left: holds.first().and_then(Hold::left),
                    is_degraded: holds.iter().any(Hold::is_degraded),
                };
                // A request that was let in was one, whatever becomes of it.
                if let Way::Store(store) = &self.way {
                    let used = vec![1; holds.len()];
                    store.settle(holds, &used);
                }
                Ok(passed)
            }
            Verdict::Refused(refused) => {
                Err(self.refusal(refused.wait.unwrap_or_default(), refused.left))
            }
            Verdict::Unavailable(wait) => Err(refusal::unavailable(wait)),
        }
    }
}

impl<St> fmt::Debug for Limiter<St> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Limiter")
            .field("name", &self.name)
            .field("key", &self.key)
            .field("limit", &self.limit)
            .finish_non_exhaustive()
    }
}
