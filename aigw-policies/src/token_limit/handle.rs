use std::{error::Error, fmt, sync::Arc};

use super::{Budget, budgets::Budgets};
use crate::budget::{self, Key, KeyError, Left, Limit, LimitError, Store};

/// Shows what the budgets of a limiter have left, and changes them while it runs.
///
/// Made by [`TokenLimitLayer::handle`](super::TokenLimitLayer::handle); clones are handles of the same
/// budgets.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
///
/// use aigw_core::key::Dimension;
/// use aigw_policies::{
///     budget::{MemoryStore, Rate},
///     token_limit::{Budget, OnOpaque, TokenLimitLayer},
/// };
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let rate = |tokens| Rate::try_new(tokens, Duration::from_secs(60));
/// let budget = Budget::new("team", rate(1000)?).key([Dimension::Consumer]);
/// let limit = TokenLimitLayer::try_new([budget], MemoryStore::new(), OnOpaque::Pass)?;
/// let handle = limit.handle();
///
/// assert_eq!(handle.left("team", &[Some("team-a")]).await?.unwrap().remaining, 1000);
/// handle.set_limit("team", rate(5000)?)?;
/// assert_eq!(handle.left("team", &[Some("team-a")]).await?.unwrap().remaining, 5000);
/// assert_eq!(handle.budgets()[0].to_string(), "5000 tokens per minute");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Handle<St> {
    budgets: Arc<Budgets>,
    store: St,
}

impl<St: Store> Handle<St> {
    pub(super) fn new(budgets: Arc<Budgets>, store: St) -> Self {
        Self { budgets, store }
    }

    /// The budgets as they are now.
    #[must_use]
    pub fn budgets(&self) -> Arc<[Arc<Budget>]> {
        self.budgets.now()
    }

    /// What a budget has left for calls that have these values in its key, in their order: `&[]`
    /// where all calls share it, and a `None` among them for calls that lack the property. Itself
    /// `None` where the store cannot be asked.
    ///
    /// # Errors
    ///
    /// There is no budget of this name, or its key has more or fewer values.
    ///
    /// # Cancel safety
    ///
    /// Asking takes nothing.
    pub async fn left(
        &self,
        budget: &str,
        values: &[Option<&str>],
    ) -> Result<Option<Left>, HandleError> {
        let found = self.find(budget)?;
        let key = Key::of(budget, found.dimensions().len(), values).map_err(HandleError::Key)?;
        Ok(budget::left(&self.store, key, *found.limit()).await)
    }

    /// Changes a limit. A key that was not used has all of the new one. What was used of it stays used:
    /// of a rate as much is left as was, no more than the new one holds, and of a quota what the new
    /// amount has above what was used. A rate that becomes a quota, or the other way round, begins
    /// anew.
    ///
    /// Other processes that share the store change theirs themselves; until all have, each decides
    /// by its own.
    ///
    /// # Errors
    ///
    /// There is no budget of this name, the store cannot keep such a limit, or it is of money where
    /// the old one was not, or the other way round. Nothing changes then.
    pub fn set_limit(&self, budget: &str, limit: impl Into<Limit>) -> Result<(), HandleError> {
        let limit = limit.into();
        self.store.check(&limit).map_err(HandleError::Limit)?;
        if let Some(mismatch) = self.find(budget)?.unit().mismatch(&limit) {
            return Err(HandleError::Unit(mismatch));
        }
        self.budgets
            .change(budget, |budget| budget.set_limit(limit));
        Ok(())
    }

    fn find(&self, name: &str) -> Result<Arc<Budget>, HandleError> {
        let budgets = self.budgets.now();
        let found = budgets.iter().find(|budget| budget.name() == name);
        found
            .cloned()
            .ok_or_else(|| HandleError::NoBudget(name.into()))
    }
}

/// What a [`Handle`] cannot do.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum HandleError {
    /// There is no budget of this name.
    NoBudget(Box<str>),
    /// Its key has more or fewer values.
    Key(KeyError),
    /// A limit that the store cannot keep.
    Limit(LimitError),
    /// A limit that is of money where the budget counts none, or the other way round.
    Unit(&'static str),
}

impl fmt::Display for HandleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoBudget(name) => write!(f, "there is no budget `{name}`"),
            Self::Key(error) => error.fmt(f),
            Self::Limit(error) => error.fmt(f),
            Self::Unit(mismatch) => f.write_str(mismatch),
        }
    }
}

impl Error for HandleError {}
