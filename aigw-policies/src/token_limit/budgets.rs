use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Budget;

/// The budgets of a limiter, which may change while it runs.
#[derive(Debug)]
pub(super) struct Budgets(Mutex<Arc<[Arc<Budget>]>>);

impl Budgets {
    pub(super) fn new(budgets: Vec<Budget>) -> Self {
        Self(Mutex::new(budgets.into_iter().map(Arc::new).collect()))
    }

    /// As they are now.
    pub(super) fn now(&self) -> Arc<[Arc<Budget>]> {
        Arc::clone(&self.lock())
    }

    /// Changes the budget of this name, if there is one.
    pub(super) fn change(&self, name: &str, change: impl FnOnce(&mut Budget)) {
        let mut budgets = self.lock();
        let mut changed: Vec<_> = budgets.to_vec();
        if let Some(budget) = changed.iter_mut().find(|budget| budget.name() == name) {
            change(Arc::make_mut(budget));
            *budgets = changed.into();
        }
    }

    /// Held for a moment. No code behind it panics.
    fn lock(&self) -> MutexGuard<'_, Arc<[Arc<Budget>]>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
