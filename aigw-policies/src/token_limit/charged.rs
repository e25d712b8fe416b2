use std::{fmt, sync::Arc};

use super::Budget;
use crate::budget::Hold;

/// What a call was charged: stated in its [record](aigw_core::call::Record) when it is settled.
///
/// # Examples
///
/// ```
/// use std::{fmt, sync::Arc};
///
/// use aigw_policies::{
///     aigw_core::{call::Record, meter::{Ended, ReportLayer}},
///     token_limit::Charged,
/// };
///
/// // Around the limiter: told when a call is over.
/// let report = ReportLayer::new(|ended: &Ended<'_>| {
///     if let Some(charged) = ended.call.record().latest::<Charged>() {
///         // `team: 21 tokens used, 979 tokens left of 1000 tokens per minute`
///         println!("{charged}");
///     }
/// });
/// # let _ = report;
/// ```
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

/// The charges in one line.
impl fmt::Display for Charged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, charge) in self.charges.iter().enumerate() {
            let between = if index > 0 { "; " } else { "" };
            write!(f, "{between}{charge}")?;
        }
        Ok(())
    }
}

/// In the budget's own unit: `money: 0.0034 USD used, 49.99 USD left of 50 USD per month`.
impl fmt::Display for Charge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { budget, used, .. } = self;
        let (name, unit) = (budget.name(), budget.unit());
        write!(f, "{name}: {} used", unit.write(*used))?;
        match self.remaining {
            Some(left) => write!(f, ", {} left of {budget}", unit.write(left)),
            None => write!(f, " of {budget}"),
        }
    }
}
