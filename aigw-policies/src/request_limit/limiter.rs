//! The decision, and what a refusal says.

use std::{fmt, sync::Arc, time::Duration};

use aigw_core::{
    call::Call,
    key::Dimension,
    reject::{self, Refusal, Refuser},
};
use http::{HeaderMap, Response, response};

use super::{Config, ConfigError, gcra::Decide, rule::Rule};
use crate::budget::{
    Claim, Condition, Headers, Hold, Key, Left, Limit, Store, Verdict, Wait, refusal, told,
};

/// What a layer and its services share.
#[derive(Clone)]
pub(super) struct Limiter<St> {
    pub(super) name: Box<str>,
    /// What levels are kept under: budgets of tokens may have the same name on the same store.
    pub(super) level: Box<str>,
    pub(super) key: Vec<Dimension>,
    when: Option<Condition>,
    pub(super) rule: Arc<Rule<St>>,
    pub(super) headers: Headers,
    pub(super) refuser: Refuser,
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
    /// The limit, and what is left of it; `None` where the request is not limited, or nobody knows.
    left: Option<(u64, Left)>,
    is_degraded: bool,
}

impl<St> Limiter<St> {
    pub(super) fn new(
        config: Config,
        store: St,
        gcra: Option<Arc<dyn Decide>>,
    ) -> Result<Self, ConfigError> {
        if config.when.as_ref().is_some_and(Condition::is_empty) {
            return Err(ConfigError::EmptyCondition);
        }
        let name = config.name.unwrap_or_else(|| "requests".into());
        Ok(Self {
            level: format!("requests/{name}").into(),
            name,
            key: config.key,
            when: config.when,
            rule: Arc::new(Rule::new(store, config.limit, gcra)),
            headers: Headers::requests(),
            refuser: Refuser::default(),
        })
    }

    /// Tells what is left.
    pub(super) fn tell(&self, passed: Passed, answer: &mut response::Parts) {
        let passed = told::Passed {
            names: &self.headers,
            providers: Headers::requests(),
            left: passed.left,
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

    fn refusal(&self, limit: &Limit, wait: Duration, left: Left) -> Refusal {
        let message = format!(
            "request limit `{}` ({} requests per {}) is reached; it admits one in {}",
            self.name,
            limit.amount(),
            limit.span(),
            Wait(wait),
        );
        let mut refusal = Refusal::new(refusal::reason(limit), message).retry_after(wait);
        self.headers
            .write(limit.amount(), left, &mut refusal.headers);
        refusal.kind("requests")
    }

    fn key(&self, call: &Call, headers: &HeaderMap) -> Key {
        let values = self.key.iter().map(|part| part.value(call, headers));
        Key::new(&self.level, values)
    }
}

impl<St: Store> Limiter<St> {
    pub(super) fn admit(&self, call: &Call, headers: &HeaderMap) -> Admission<St> {
        let holds = |condition: &Condition| condition.holds(call, headers);
        if !self.when.as_ref().is_none_or(holds) {
            return Admission::Admitted(Passed::default());
        }
        let key = self.key(call, headers);
        let (limit, decided) = {
            let now = self.rule.now();
            let gcra = now.gcra.as_ref();
            (now.limit, gcra.map(|gcra| gcra.decide(key.as_str())))
        };
        match decided {
            Some(Ok(left)) => Admission::Admitted(Passed {
                left: Some((limit.amount(), left)),
                is_degraded: false,
            }),
            Some(Err((wait, left))) => Admission::Refused(self.refusal(&limit, wait, left)),
            None => {
                let amount = 1;
                let claims = vec![Claim { key, limit, amount }];
                Admission::Asking(self.rule.store.reserve(claims))
            }
        }
    }

    /// What the store's verdict means.
    pub(super) fn conclude(&self, verdict: Verdict) -> Result<Passed, Refusal> {
        match verdict {
            Verdict::Admitted(holds) => {
                let hold = holds.first();
                let left = |hold: &Hold| Some((hold.claim().limit.amount(), hold.left()?));
                let passed = Passed {
                    left: hold.and_then(left),
                    is_degraded: holds.iter().any(Hold::is_degraded),
                };
                // A request that was let in was one, whatever becomes of it.
                let used = vec![1; holds.len()];
                self.rule.store.settle(holds, &used);
                Ok(passed)
            }
            Verdict::Refused(refused) => {
                let wait = refused.wait.unwrap_or_default();
                Err(self.refusal(&self.rule.limit(), wait, refused.left))
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
            .field("rule", &self.rule)
            .finish_non_exhaustive()
    }
}
