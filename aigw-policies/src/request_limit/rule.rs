//! How many requests there may be at present, and who decides over them.
#![expect(
    clippy::disallowed_types,
    reason = "it is held for each decision: a mutex would undo that levels have many locks"
)]

use std::{
    fmt,
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard},
};

use super::{ConfigError, gcra::Decide};
use crate::budget::{Limit, Store};

/// It may change while requests come, and not while one is decided: levels change with it.
pub(super) struct Rule<St> {
    pub(super) store: St,
    now: RwLock<Now>,
}

pub(super) struct Now {
    pub(super) limit: Limit,
    /// Who decides over a rate in memory; over all else the store does.
    pub(super) gcra: Option<Arc<dyn Decide>>,
}

impl<St> Rule<St> {
    pub(super) fn new(store: St, limit: Limit, gcra: Option<Arc<dyn Decide>>) -> Self {
        let now = RwLock::new(Now { limit, gcra });
        Self { store, now }
    }

    /// Held for a moment. No code behind the lock panics.
    pub(super) fn now(&self) -> RwLockReadGuard<'_, Now> {
        self.now.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn limit(&self) -> Limit {
        self.now().limit
    }
}

impl<St: Store> Rule<St> {
    pub(super) fn set(&self, limit: Limit) -> Result<(), ConfigError> {
        let mut now = self.now.write().unwrap_or_else(PoisonError::into_inner);
        let gcra = match (&now.gcra, &limit) {
            (Some(gcra), Limit::Rate(rate)) => Some(gcra.changed(rate)?),
            _ => {
                self.store.check(&limit)?;
                None
            }
        };
        *now = Now { limit, gcra };
        Ok(())
    }
}

impl<St> fmt::Debug for Rule<St> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Rule").field(&self.limit()).finish()
    }
}
