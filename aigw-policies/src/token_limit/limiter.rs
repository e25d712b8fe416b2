//! The decision: what a call asks of which budgets, and what a refusal says.

use std::{sync::Arc, time::Duration};

use aigw_core::{
    call::Call,
    dialect::Operation,
    reject::{Reason, Refusal, Refuser},
};
use http::{HeaderMap, StatusCode, response};

use super::{
    Budget, OnOpaque, Output,
    asking::{Asked, Asking},
    budgets::Budgets,
    elsewhere::Elsewhere,
    follow::Account,
    learned::Learned,
    output::answers,
    served::Served,
    settlement::Expected,
};
use crate::{
    budget::{Claim, Headers, Hold, Refused, Store, Verdict, refusal, told},
    tokens::{Estimate, Estimator},
};

/// What a layer and its services share.
#[derive(Clone, Debug)]
pub(super) struct Limiter<St> {
    pub(super) budgets: Arc<Budgets>,
    pub(super) store: St,
    pub(super) opaque: OnOpaque,
    pub(super) estimator: Arc<dyn Estimator>,
    pub(super) output: Output,
    pub(super) headers: Headers,
    pub(super) quota_status: StatusCode,
    pub(super) refuser: Refuser,
    pub(super) stops_streams: bool,
    pub(super) learned: Arc<Learned>,
    pub(super) served: Arc<Served>,
    /// Where long prompts are counted; `None`: nowhere.
    pub(super) elsewhere: Option<Elsewhere>,
}

/// What is to be done with a call.
pub(super) enum Weighed {
    /// No budget holds for it.
    Pass,
    // Boxed, for it is kept as long as the answer takes and moved from place to place.
    Ask(Box<Asking>, Vec<Claim>),
    Refuse(Refusal),
}

impl<St: Store> Limiter<St> {
    /// What a call asks.
    pub(super) fn weigh(&self, call: &Call, headers: &HeaderMap) -> Weighed {
        let (estimate, asked) = match self.opaque {
            _ if !uses_tokens(call.operation()) => (None, Asked::default()),
            OnOpaque::Charge(input) if call.is_opaque() => (None, charged(input)),
            _ if call.is_opaque() => (None, Asked::default()),
            _ => {
                let estimate = self.estimator.estimate(call);
                (Some(estimate), self.asked(call, &estimate))
            }
        };
        let (budgets, claims) = self.claims(call, headers, &asked);
        if call.is_opaque() && self.opaque == OnOpaque::Refuse && read_prompts(&budgets) {
            return Weighed::Refuse(opaque());
        }
        if claims.is_empty() {
            return Weighed::Pass;
        }
        let asking = Asking {
            call: call.without_body(),
            answers: answers(call),
            asked,
            is_counted: estimate.is_none() || !read_prompts(&budgets),
            estimate,
            budgets,
            yielded: Vec::new(),
        };
        Weighed::Ask(Box::new(asking), claims)
    }

    /// What a call asks of which budgets.
    fn claims(
        &self,
        call: &Call,
        headers: &HeaderMap,
        asked: &Asked,
    ) -> (Vec<Arc<Budget>>, Vec<Claim>) {
        let counted = uses_tokens(call.operation());
        let budgets = self.budgets.now();
        let budgets = budgets.iter();
        budgets
            .filter(|budget| counted || !budget.unit().reads_prompts())
            .filter_map(|budget| {
                let claim = budget.claim(call, headers, asked, &self.served)?;
                Some((Arc::clone(budget), claim))
            })
            .unzip()
    }

    /// What is asked again, now that more is known of the call.
    pub(super) fn ask_again(
        &self,
        asking: &mut Asking,
        call: &Call,
        headers: &HeaderMap,
    ) -> Vec<Claim> {
        let (budgets, mut claims) = self.claims(call, headers, &asking.asked);
        asking.budgets = budgets;
        asking.claim(&mut claims);
        claims
    }

    fn asked(&self, call: &Call, estimate: &Estimate) -> Asked {
        let length = self.output.expected(call, &self.learned);
        let input = estimate.tokens();
        Asked {
            expected: Expected {
                input,
                output: length.tokens,
                unreported: if input > 0 { input } else { least(call) },
            },
            certain: Expected {
                input: estimate.at_least(),
                output: if length.is_cap { length.tokens } else { 0 },
                unreported: 0,
            },
        }
    }

    /// What the store's verdict means for the call: what it holds, or why it goes no further.
    pub(super) fn conclude(&self, asking: &Asking, verdict: Verdict) -> Result<Vec<Hold>, Refusal> {
        match verdict {
            Verdict::Admitted(holds) => Ok(holds),
            Verdict::Refused(refused) => Err(self.refusal(asking, refused)),
            Verdict::Unavailable(wait) => Err(refusal::unavailable(wait)),
        }
    }

    /// Tells in an answer of the budget of tokens that has the least left.
    pub(super) fn tell(&self, asking: &Asking, holds: &[Hold], answer: &mut response::Parts) {
        let is_degraded = holds.iter().any(Hold::is_degraded);
        let holds = asking.budgets.iter().zip(holds);
        let of_tokens = holds.filter(|(budget, _)| budget.counts_tokens());
        let left = of_tokens.filter_map(|(_, hold)| {
            let Claim { key, limit, .. } = hold.claim();
            // Others may have come since; what has flowed back since is not told.
            let held = hold.left()?;
            let now = self.store.left(key, limit).unwrap_or(held);
            let least = if now.remaining < held.remaining {
                now
            } else {
                held
            };
            Some((limit.amount(), least))
        });
        let passed = told::Passed {
            names: &self.headers,
            providers: Headers::tokens(),
            left: left.min_by_key(|(_, left)| left.remaining),
            is_degraded,
        };
        passed.tell(answer);
    }

    /// What is left of the budget behind a hold, as far as it can be known at once: else what was
    /// left when the call was admitted, without what the call itself has taken since.
    pub(super) fn room(&self, hold: &Hold) -> u64 {
        let Claim { key, limit, amount } = hold.claim();
        if let Some(left) = self.store.left(key, limit) {
            return left.remaining;
        }
        // Nobody counts what is held without having been asked for.
        hold.left().map_or(u64::MAX, |left| {
            let since = hold.amount().saturating_sub(*amount);
            left.remaining.saturating_sub(since)
        })
    }

    /// Corrects budgets by what the provider says of its account, and answers what that is.
    pub(super) fn follow(&self, asking: &Asking, holds: &[Hold], headers: &HeaderMap) -> Account {
        let mut corrected = corrected(asking, holds).peekable();
        if corrected.peek().is_none() {
            return Account::default();
        }
        let account = Account::read(headers);
        for (budget, hold) in corrected {
            if let Some(limit) = account.limit_for(budget.limit())
                && self.store.check(&limit).is_ok()
            {
                self.budgets
                    .change(budget.name(), |budget| budget.set_limit(limit));
            }
            if let Some(remaining) = account.remaining {
                self.store.lower(hold, remaining);
            }
        }
        account
    }

    /// Settles a call that has taken so much time since the provider said this. What was held too
    /// much comes back, and with it there is no more than the provider has: the call is part of
    /// what it counts.
    pub(super) fn settle(
        &self,
        asking: &Asking,
        holds: Vec<Hold>,
        used: &[u64],
        account: Account,
        passed: Duration,
    ) {
        let followed = corrected(asking, &holds).filter_map(|(budget, hold)| {
            let most = account.left_after(passed, budget.limit())?;
            Some((hold.emptied(), most))
        });
        let followed: Vec<_> = followed.collect();
        self.store.settle(holds, used);
        for (hold, most) in &followed {
            self.store.lower(hold, *most);
        }
    }

    fn refusal(&self, asking: &Asking, refused: Refused) -> Refusal {
        let Some(budget) = asking.budgets.get(refused.claim) else {
            return Refusal::new(Reason::RateLimit, "a limit is reached");
        };
        let mut refusal = match refused.wait {
            None => Refusal::new(Reason::NeverFits, asking.never(budget)),
            Some(wait) => {
                let message = asking.not_yet(budget, refused.left, wait);
                Refusal::new(refusal::reason(budget.limit()), message).retry_after(wait)
            }
        };
        if refusal.reason == Reason::Quota {
            refusal = refusal.status(self.quota_status);
        }
        if budget.counts_tokens() {
            let limit = budget.limit().amount();
            self.headers
                .write(limit, refused.left, &mut refusal.headers);
        }
        refusal.kind(budget.unit().kind())
    }
}

/// What is held of the budgets that a provider corrects.
fn corrected<'a>(
    asking: &'a Asking,
    holds: &'a [Hold],
) -> impl Iterator<Item = (&'a Arc<Budget>, &'a Hold)> {
    let held = asking.budgets.iter().zip(holds);
    held.filter(|(budget, _)| budget.is_corrected())
}

/// What an upload is charged with.
fn charged(input: u64) -> Asked {
    let charge = Expected {
        input,
        output: 0,
        unreported: input,
    };
    Asked {
        expected: charge,
        certain: charge,
    }
}

/// What a prompt that nobody estimated is taken for where its answer does not say it: four bytes to
/// a token, as in English prose.
fn least(call: &Call) -> u64 {
    let bytes = call.parts().iter().map(|part| part.span.len() as u64);
    bytes.sum::<u64>().div_ceil(4)
}

fn opaque() -> Refusal {
    Refusal::new(
        Reason::Forbidden,
        "the tokens of this operation cannot be limited here, so it is not allowed",
    )
}

/// Whether one of these budgets depends on how many tokens a call has.
fn read_prompts(budgets: &[Arc<Budget>]) -> bool {
    budgets.iter().any(|budget| budget.unit().reads_prompts())
}

/// Whether an operation is charged in tokens at all.
fn uses_tokens(operation: Operation) -> bool {
    !matches!(
        operation,
        Operation::Models | Operation::Moderations | Operation::CountTokens
    )
}
