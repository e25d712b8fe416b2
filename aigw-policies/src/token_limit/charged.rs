use std::sync::Arc;

use super::Budget;
use crate::budget::Hold;

/// What a call was charged: stated in its [record](aigw_core::call::Record) when it is settled.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Charged {
    /// One for each budget that held for the call.
    pub charges: Box<[Charge]>,
}

/// What one budget was charged.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Charge {
    /// Which it is.
    pub budget: Arc<Budget>,
    /// How much: tokens by their weights, calls, or millionths of a currency.
    pub used: u64,
    /// What was left of it when the call was admitted, with what it did not use after all: others
    /// may have used some since. `None` where the store was not asked.
    pub remaining: Option<u64>,
    /// Whether the store could not be asked, so that what was chosen for that case decided.
    pub is_degraded: bool,
}

impl Charge {
    pub(super) fn of(budget: &Arc<Budget>, hold: &Hold, used: u64) -> Self {
        let remaining = hold.left().map(|left| {
            // What was taken since is in what was used.
            let at_most = left.remaining.saturating_add(hold.claim().amount);
            at_most.saturating_sub(used)
        });
        Self {
            budget: Arc::clone(budget),
            used,
            remaining,
            is_degraded: hold.is_degraded(),
        }
    }
}
