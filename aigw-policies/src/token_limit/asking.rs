//! What a call asks of its budgets, and how that changes with what a store answers: pure.

use std::{sync::Arc, time::Duration};

use aigw_core::call::Call;

use super::{Budget, settlement::Expected};
use crate::{
    budget::{Align, Claim, Left, Limit, Refused, Verdict, Wait},
    tokens::{Count, Estimate},
};

/// How much a call asks.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Asked {
    pub(super) expected: Expected,
    /// The part of it that is no guess: what the prompt has at least, and the caller's own cap.
    pub(super) certain: Expected,
}

/// What is known of a call before the store has decided.
#[derive(Debug)]
pub(super) struct Asking {
    /// Without its body, which would be kept as long as the answer takes.
    pub(super) call: Call,
    /// `None` for a call that was not estimated.
    pub(super) estimate: Option<Estimate>,
    pub(super) asked: Asked,
    /// Whose each claim is.
    pub(super) budgets: Vec<Arc<Budget>>,
    /// The prompt was counted, or cannot be.
    pub(super) is_counted: bool,
    /// How many answers are written.
    pub(super) answers: u64,
    /// Budgets that are asked for no more than they had left.
    pub(super) yielded: Vec<(Arc<Budget>, u64)>,
}

impl Asking {
    /// Whether a count of the prompt could change this verdict: what does not fit might, or what
    /// fits might not.
    pub(super) fn is_uncertain(&self, verdict: &Verdict) -> bool {
        let (false, Some(estimate)) = (self.is_counted, self.estimate) else {
            return false;
        };
        match verdict {
            Verdict::Refused(refused) => {
                let budget = self.budgets.get(refused.claim);
                budget.is_some_and(|budget| budget.unit().reads_prompts())
                    && estimate.at_least() < estimate.tokens()
            }
            Verdict::Admitted(holds) => {
                let mut most = self.asked;
                most.expected.input = estimate.at_most();
                most.certain.input = estimate.at_most();
                self.budgets.iter().zip(holds).any(|(budget, hold)| {
                    let is_too_much = |left: Left| {
                        let room = hold.amount().saturating_add(left.remaining);
                        self.amount(budget, &most) > room
                    };
                    budget.unit().reads_prompts() && hold.left().is_some_and(is_too_much)
                })
            }
            Verdict::Unavailable(_) => false,
        }
    }

    /// The prompt has been counted, or could not be.
    pub(super) fn counted(&mut self, count: Option<Count>) {
        self.is_counted = true;
        if let Some(Count { tokens, .. }) = count {
            self.asked.expected.input = tokens;
            self.asked.expected.unreported = tokens;
            self.asked.certain.input = tokens;
        }
    }

    /// Whether the call is content with less of the budget that refuses it, and so to be asked for
    /// again: where only a guess of its answer keeps it out, and for long.
    pub(super) fn yields(&mut self, verdict: &Verdict) -> bool {
        let Verdict::Refused(Refused {
            claim,
            wait: Some(_),
            left: Left { remaining, .. },
        }) = *verdict
        else {
            return false;
        };
        let Some(budget) = self.budgets.get(claim) else {
            return false;
        };
        let least = budget.least(&self.call, &self.asked);
        // A smaller amount would have to wait just as long.
        let in_vain = remaining < least
            && matches!(budget.limit(), Limit::Quota(quota) if quota.align() == Align::Utc);
        let is_final = self.limit_on(budget).is_some()
            || budget.is_waited_for(&self.call, &self.asked)
            || least >= budget.asks(&self.call, &self.asked);
        if in_vain || is_final {
            return false;
        }
        self.yielded.push((Arc::clone(budget), remaining));
        true
    }

    /// Writes into the claims what is asked by now.
    pub(super) fn claim(&self, claims: &mut [Claim]) {
        for (budget, claim) in self.budgets.iter().zip(claims) {
            claim.amount = self.amount(budget, &self.asked);
        }
    }

    /// How much a budget is asked for.
    fn amount(&self, budget: &Budget, asked: &Asked) -> u64 {
        let amount = budget.asks(&self.call, asked);
        self.limit_on(budget).map_or(amount, |left| {
            amount.min(left.max(budget.least(&self.call, asked)))
        })
    }

    fn limit_on(&self, budget: &Budget) -> Option<u64> {
        let mut yielded = self.yielded.iter();
        let found = yielded.find(|(yielded, _)| yielded.name() == budget.name());
        found.map(|(_, left)| *left)
    }

    /// Why the call can never pass this budget.
    pub(super) fn never(&self, budget: &Budget) -> String {
        // What is guessed of its answer keeps nobody out for good.
        let needs = self.needs(budget, self.is_capped());
        let name = budget.name();
        format!("the request needs {needs}: more than budget `{name}` ({budget}) ever admits")
    }

    /// Why the call cannot pass this budget now, and when it can.
    pub(super) fn not_yet(&self, budget: &Budget, left: Left, wait: Duration) -> String {
        let (name, wait) = (budget.name(), Wait(wait));
        let left = budget.unit().write(left.remaining);
        let needs = self.needs(budget, self.limit_on(budget).is_none());
        format!(
            "budget `{name}` ({budget}) has {left} left, and the request needs {needs}; it fits in \
             {wait}"
        )
    }

    /// What is asked of a budget, by its parts.
    fn needs(&self, budget: &Budget, with_answer: bool) -> String {
        let unit = budget.unit();
        let amount = self.amount(budget, &self.asked);
        if !unit.reads_prompts() {
            return unit.write(amount);
        }
        let prompt = budget.prompt(&self.call, &self.asked);
        let (written, answer) = (unit.write(prompt), amount.saturating_sub(prompt));
        if answer == 0 || !with_answer {
            return format!("about {written} for its prompt");
        }
        let answer = unit.write(answer);
        let whose = if self.is_capped() {
            "that its own cap allows"
        } else {
            "expected"
        };
        format!("about {written} for its prompt and {answer} {whose} for its answer")
    }

    /// Whether the answer is no longer than the caller's own cap, and taken for that.
    fn is_capped(&self) -> bool {
        self.asked.certain.output > 0
    }
}
