//! Where levels live: a store decides over all budgets of a call at once, and settles each once.

mod key;
mod memory;
#[cfg(feature = "redis")]
pub mod redis;
mod shard;
pub(crate) mod shards;
#[cfg(test)]
mod tests;

use std::time::Duration;

use self::shard::Home;
pub use self::{
    key::{Key, KeyError},
    memory::{MemoryStore, Reserving},
};
use super::{Left, Limit, LimitError, Taken};

/// Keeps the levels of budgets.
///
/// Implemented by the stores of this crate; others may be added here, not by users, since each must
/// give the same verdicts.
pub trait Store: sealed::Sealed + Clone + Send + Sync + 'static {
    /// Decides; see [`reserve`](Self::reserve). Dropped before it has answered, nothing stays taken.
    type Reserving: Future<Output = Verdict> + Send + 'static;

    /// Whether this store can keep the level of such a limit. Every limit, unless the store says
    /// otherwise.
    ///
    /// # Errors
    ///
    /// [`LimitError::Inexact`] for one whose arithmetic is too fine.
    fn check(&self, _: &Limit) -> Result<(), LimitError> {
        Ok(())
    }

    /// Takes what is claimed if all of it fits, and nothing if not.
    fn reserve(&self, claims: Vec<Claim>) -> Self::Reserving;

    /// Takes more for a call that runs on, whether it fits or not: `more` of the hold in the same
    /// place. What does not fit is a debt.
    fn extend(&self, holds: &mut [Hold], more: &[u64]);

    /// Leaves so much at most of the rate that is behind a hold: what else there was, others have
    /// used elsewhere. Quotas are left as they are.
    fn lower(&self, hold: &Hold, most: u64);

    /// Charges another key of the budget that is behind a hold, whether it fits or not.
    fn charge(&self, hold: &Hold, key: Key, used: u64);

    /// Corrects what was taken to what was used: `used` of the hold in the same place. At once in
    /// memory, and without waiting in any store, for it is called from `Drop`. A hold for which there
    /// is no number stays taken.
    fn settle(&self, holds: Vec<Hold>, used: &[u64]);

    /// What a key has left of a limit; `None` where another process would have to be asked.
    fn left(&self, key: &Key, limit: &Limit) -> Option<Left>;
}

pub(super) mod sealed {
    /// Which types are stores.
    #[expect(unnameable_types, reason = "users call stores and implement none")]
    pub trait Sealed {}
}

/// What a key has left of a limit; `None` where that cannot be known at present.
#[cfg(any(feature = "request-limit", feature = "token-limit"))]
pub(crate) async fn left<St: Store>(store: &St, key: Key, limit: Limit) -> Option<Left> {
    if let Some(left) = store.left(&key, &limit) {
        return Some(left);
    }
    // Nobody knows it here, so it is asked for nothing.
    let amount = 0;
    let claims = vec![Claim { key, limit, amount }];
    match store.reserve(claims).await {
        Verdict::Admitted(holds) => {
            let left = holds.first().and_then(Hold::left);
            store.settle(holds, &[0]);
            left
        }
        Verdict::Refused(refused) => Some(refused.left),
        Verdict::Unavailable(_) => None,
    }
}

/// What a call asks of one budget.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// Whose budget it is.
    pub key: Key,
    /// What it admits.
    pub limit: Limit,
    /// How much is asked.
    pub amount: u64,
}

/// What a store has decided.
#[derive(Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verdict {
    /// All of it was taken: a hold for each claim, in their order.
    Admitted(Vec<Hold>),
    /// Nothing was taken.
    Refused(Refused),
    /// The store could not be asked, and is not to be asked again for so long.
    Unavailable(Duration),
}

/// Part of a budget that a call has taken and not settled.
///
/// Dropped without being settled, it stays taken: of a quota until its period ends, of a rate until
/// it has flowed back.
#[derive(Debug, PartialEq, Eq)]
#[must_use = "what is held must be settled"]
pub struct Hold {
    claim: Claim,
    taken: Taken,
    kept: Kept,
    left: Option<Left>,
}

/// Where it is kept that something is held.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Kept {
    Memory(Home),
    #[cfg(feature = "redis")]
    Redis,
    /// In memory, of a share of the limit.
    #[cfg(feature = "redis")]
    Share(Box<(Home, Limit)>),
    #[cfg(feature = "redis")]
    Nowhere,
}

impl Kept {
    /// Whose level in memory it is.
    fn home(&self) -> Option<Home> {
        match self {
            Self::Memory(home) => Some(*home),
            #[cfg(feature = "redis")]
            _ => None,
        }
    }
}

impl Hold {
    /// How much is held.
    #[must_use]
    pub fn amount(&self) -> u64 {
        self.taken.amount
    }

    /// What was asked.
    #[must_use]
    pub fn claim(&self) -> &Claim {
        &self.claim
    }

    /// What is left of the budget behind it; `None` where the store was not asked.
    #[must_use]
    pub fn left(&self) -> Option<Left> {
        self.left
    }

    /// The same with nothing taken: for whoever lowers what is behind a hold when it is settled.
    #[cfg(feature = "token-limit")]
    pub(crate) fn emptied(&self) -> Self {
        let mut taken = self.taken;
        taken.amount = 0;
        Self {
            claim: self.claim.clone(),
            taken,
            kept: self.kept.clone(),
            left: self.left,
        }
    }

    /// Whether the store could not be asked, so that what was chosen for that case decided.
    #[must_use]
    pub fn is_degraded(&self) -> bool {
        match self.kept {
            Kept::Memory(_) => false,
            #[cfg(feature = "redis")]
            Kept::Redis => false,
            #[cfg(feature = "redis")]
            Kept::Share(_) | Kept::Nowhere => true,
        }
    }
}

/// Why nothing was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Refused {
    /// The place of the claim that decided: one that never fits, or else the one that waits longest.
    pub claim: usize,
    /// How long until all of it fits, if nobody else takes anything; `None` if it never does.
    pub wait: Option<Duration>,
    /// What that budget has left.
    pub left: Left,
}
