use std::{fmt, sync::Arc, time::Duration};

use aigw_core::{
    meter::{Ending, FinishReason, Meter, Origin},
    usage::{Source, Usage},
};
use http::{StatusCode, response};

use super::{
    Budget, Charge, Charged, Stopped,
    asking::Asking,
    follow::Account,
    limiter::Limiter,
    output::whose,
    settlement::{Expected, Went, used},
    stopper::Stopper,
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
    /// So much output the holds are enough for.
    covered: u64,
}

impl<St: Store> Guard<St> {
    pub(super) fn new(limiter: Arc<Limiter<St>>, asking: Box<Asking>, holds: Vec<Hold>) -> Self {
        let output = asking.asked.expected.output;
        let mut open = Open {
            asking,
            holds,
            covered: output,
        };
        // Of a guess no more is held than a budget had left.
        if open.cover(output, None).iter().any(|more| *more > 0) {
            open.covered = 0;
        }
        Self {
            limiter,
            open: Some(open),
            status: None,
            account: Account::default(),
        }
    }

    /// There is an answer: its head tells what is left.
    pub(super) fn answered(&mut self, answer: &mut response::Parts) {
        self.status = Some(answer.status);
        if let Some(Open { asking, holds, .. }) = &self.open {
            self.account = self.limiter.follow(asking, holds, &answer.headers);
            self.limiter.tell(asking, holds, answer);
        }
    }

    /// What ends this answer early, if that is asked for and can be.
    pub(super) fn stopper(
        &self,
        answer: &mut response::Parts,
        meter: &Meter,
    ) -> Option<Box<Stopper>> {
        let Open { asking, .. } = self.open.as_ref()?;
        if !self.limiter.stops_streams || !answer.status.is_success() {
            return None;
        }
        Stopper::of(&asking.call, asking.answers, &mut answer.headers, meter)
    }

    /// More of the answer has passed. What runs beyond what was expected is taken as it comes, so
    /// that those who ask meanwhile know of it. Answers which budget has nothing left for more.
    pub(super) fn progressed(&mut self, meter: &Meter) -> Option<Arc<Budget>> {
        let limiter = &*self.limiter;
        let open = self.open.as_mut()?;
        let passed = meter.output_estimate();
        let enough = open
            .covered
            .saturating_add(u64::from(!limiter.stops_streams));
        if meter.origin() != Origin::Provider || passed < enough.max(1) {
            return None;
        }
        let mut cover = |ahead| {
            let more = open.cover(passed.saturating_add(ahead), meter.model());
            let lacking = || open.lacking(&more, |hold| limiter.room(hold));
            let spent = limiter.stops_streams.then(lacking).flatten();
            (more, spent)
        };
        let far = (passed / 4).max(LEAST_EXTENSION);
        let (mut more, mut spent) = cover(far);
        // Nobody is stopped for what would only be set aside: what counts is the next token.
        for ahead in [LEAST_EXTENSION, 1] {
            if spent.is_some() {
                (more, spent) = cover(ahead);
            }
        }
        if spent.is_some() {
            // A debt is taken far ahead, for not every stream can be ended.
            (more, _) = cover(far);
        }
        limiter.store.extend(&mut open.holds, &more);
        spent
    }

    /// The answer is over, or nobody waits for more of it.
    pub(super) fn end(&mut self, meter: &Meter, ending: Ending) {
        self.close(meter, ending);
    }

    /// The answer is ended for this budget. Answers what it has used.
    pub(super) fn stop(&mut self, meter: &Meter, budget: &Arc<Budget>) -> Usage {
        if let Some(Open { asking, .. }) = &self.open {
            let budget = Arc::clone(budget);
            asking.call.record().state(Stopped { budget });
        }
        self.close(meter, STOPPED).unwrap_or_default()
    }

    fn close(&mut self, meter: &Meter, ending: Ending) -> Option<Usage> {
        let open = self.open.take()?;
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
        Some(usage)
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
        let Open { asking, holds, .. } = open;
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

impl Open {
    /// The holds are to be enough for so much output of this model. Answers how much more than it
    /// holds each budget would be charged then.
    fn cover(&mut self, output: u64, served: Option<&str>) -> Vec<u64> {
        self.covered = output;
        let Asking {
            asked,
            call,
            budgets,
            ..
        } = &mut *self.asking;
        asked.expected.output = asked.expected.output.max(output);
        let covered = Expected {
            output,
            ..asked.expected
        };
        let (usage, model) = (covered.usage(), call.model().unwrap_or_default());
        let holds = budgets.iter().zip(&self.holds);
        holds
            .map(|(budget, hold)| {
                let amount = budget.unit().amount(&usage, true, model, served);
                amount.saturating_sub(hold.amount())
            })
            .collect()
    }

    /// The first budget that has no room for what it lacks.
    fn lacking(&self, more: &[u64], room: impl Fn(&Hold) -> u64) -> Option<Arc<Budget>> {
        let mut holds = self.asking.budgets.iter().zip(&self.holds).zip(more);
        let lacking = holds.find(|((_, hold), more)| **more > room(hold));
        lacking.map(|((budget, _), _)| Arc::clone(budget))
    }
}

/// How an answer ends that is ended here.
pub(super) const STOPPED: Ending = Ending::Cut("token_limit");

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
