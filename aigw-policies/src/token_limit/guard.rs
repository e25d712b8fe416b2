use std::{fmt, sync::Arc, time::Duration};

use aigw_core::{
    meter::{Ending, FinishReason, Meter, Origin},
    usage::{Source, Usage},
};
use http::{StatusCode, response};

use super::{
    Charge, Charged,
    follow::Account,
    limiter::{Asking, Limiter},
    output::whose,
    settlement::{Went, used},
};
use crate::budget::{Hold, Store};

/// What a call holds of its budgets, settled exactly once: by whoever learns first how the call
/// went, or else when it is dropped.
#[must_use]
pub(super) struct Guard<St: Store> {
    limiter: Arc<Limiter<St>>,
    open: Option<Open>,
    status: Option<StatusCode>,
    /// What the provider has said of its account.
    account: Account,
}

struct Open {
    asking: Box<Asking>,
    holds: Vec<Hold>,
}

impl<St: Store> Guard<St> {
    pub(super) fn new(limiter: Arc<Limiter<St>>, asking: Box<Asking>, holds: Vec<Hold>) -> Self {
        Self {
            limiter,
            open: Some(Open { asking, holds }),
            status: None,
            account: Account::default(),
        }
    }

    /// There is an answer: its head tells what is left.
    pub(super) fn answered(&mut self, answer: &mut response::Parts) {
        self.status = Some(answer.status);
        if let Some(Open { asking, holds }) = &self.open {
            self.account = self.limiter.follow(asking, holds, &answer.headers);
            self.limiter.tell(asking, holds, answer);
        }
    }

    /// More of the answer has passed. What runs beyond what was expected is taken as it comes, so
    /// that those who ask meanwhile know of it.
    pub(super) fn progressed(&mut self, meter: &Meter) {
        let Some(Open { asking, holds }) = &mut self.open else {
            return;
        };
        let passed = meter.output_estimate();
        let expected = &mut asking.asked.expected;
        if meter.origin() != Origin::Provider || passed <= expected.output {
            return;
        }
        expected.output = passed.saturating_add((passed / 4).max(LEAST_EXTENSION));
        let usage = expected.usage();
        let model = asking.call.model().unwrap_or_default();
        let more: Vec<_> = asking
            .budgets
            .iter()
            .zip(&*holds)
            .map(|(budget, hold)| {
                let amount = budget.unit().amount(&usage, true, model, meter.model());
                amount.saturating_sub(hold.amount())
            })
            .collect();
        self.limiter.store.extend(holds, &more);
    }

    /// The answer is over, or nobody waits for more of it.
    pub(super) fn end(&mut self, meter: &Meter, ending: Ending) {
        let Some(open) = self.open.take() else {
            return;
        };
        let status = self.status.unwrap_or_default();
        let went = Went::Answered {
            status,
            meter,
            ending,
        };
        self.learn(&open.asking, meter, ending);
        let (usage, reached) = used(open.asking.asked.expected, went);
        let content = meter.first_content().zip(meter.last_content());
        let passed = content.map(|(first, last)| last.saturating_duration_since(first));
        let passed = passed.unwrap_or_default();
        self.settle(open, &usage, reached, meter.model(), passed);
    }

    /// What the provider counted shows how good the estimates are.
    fn learn(&self, asking: &Asking, meter: &Meter, ending: Ending) {
        if meter.origin() != Origin::Provider || meter.source() != Source::Reported {
            return;
        }
        let Limiter {
            estimator, learned, ..
        } = &*self.limiter;
        if let Some((input, estimate)) = meter.reported().input().zip(asking.estimate) {
            estimator.settle(&asking.call, &estimate, input);
        }
        let Some(output) = meter.reported().output() else {
            return;
        };
        let each = output / asking.answers;
        whose(&asking.call, |whose| {
            // An answer that was cut off would have been longer: it shows no more than that.
            let whole = ending == Ending::Complete && meter.finish() != Some(&FinishReason::Length);
            if !whose.model.is_empty() && (whole || each > learned.length(whose)) {
                learned.learn(whose, each);
            }
        });
    }

    fn settle(
        &self,
        open: Open,
        usage: &Usage,
        reached: bool,
        served: Option<&str>,
        passed: Duration,
    ) {
        let Open { asking, holds } = open;
        let model = asking.call.model().unwrap_or_default();
        let budgets = asking.budgets.iter();
        let mut amounts: Vec<_> = budgets
            .map(|budget| budget.unit().amount(usage, reached, model, served))
            .collect();
        let charges = asking.budgets.iter().zip(&holds).zip(&amounts);
        let charges = charges
            .map(|((budget, hold), used)| Charge::of(budget, hold, *used))
            .collect();
        asking.call.record().state(Charged { charges });
        if let Some(served) = served {
            self.charge_served(&asking, &holds, &mut amounts, served);
        }
        self.limiter
            .settle(&asking, holds, &amounts, self.account, passed);
    }

    /// Charges budgets by the model that has answered; what was held of another's is not used.
    fn charge_served(&self, asking: &Asking, holds: &[Hold], amounts: &mut [u64], served: &str) {
        let held = asking.budgets.iter().zip(holds).zip(amounts);
        let mut by_served = held
            .filter(|((budget, _), _)| budget.is_by_served())
            .peekable();
        if by_served.peek().is_some() {
            let asked = asking.call.model().unwrap_or_default();
            self.limiter.served.note(asked, served);
        }
        for ((budget, hold), amount) in by_served {
            let key = budget.key_by(served, &hold.claim().key);
            if key != hold.claim().key && !hold.is_degraded() {
                let used = std::mem::take(amount);
                self.limiter.store.charge(hold, key, used);
            }
        }
    }
}

/// The fewest tokens that are taken at once beyond what was expected, so that a store is not asked
/// for each event.
const LEAST_EXTENSION: u64 = 32;

impl<St: Store> Drop for Guard<St> {
    fn drop(&mut self) {
        if let Some(open) = self.open.take() {
            let (usage, reached) = used(open.asking.asked.expected, Went::Unknown);
            self.settle(open, &usage, reached, None, Duration::ZERO);
        }
    }
}

impl<St: Store> fmt::Debug for Guard<St> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guard").finish_non_exhaustive()
    }
}
