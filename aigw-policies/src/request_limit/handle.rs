use std::sync::Arc;

use super::{ConfigError, rule::Rule};
use crate::budget::{self, Key, Left, Limit, Store};

/// Shows what a limit has left, and changes it while it runs. Made by
/// [`RequestLimitLayer::handle`](super::RequestLimitLayer::handle); clones are handles of the same
/// limit.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
///
/// use aigw_core::key::Dimension;
/// use aigw_policies::{
///     budget::Rate,
///     request_limit::{Config, RequestLimitLayer},
/// };
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let rate = |requests| Rate::try_new(requests, Duration::from_secs(60));
/// let limit = RequestLimitLayer::try_new(Config::new([Dimension::Consumer], rate(50)?))?;
/// let handle = limit.handle();
///
/// assert_eq!(handle.left([Some("team-a")]).await.unwrap().remaining, 50);
/// handle.set_limit(rate(100)?)?;
/// assert_eq!(format!("{}: {}", handle.name(), handle.limit()), "requests: 100 per minute");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Handle<St> {
    name: Arc<str>,
    /// What levels are kept under.
    level: Arc<str>,
    rule: Arc<Rule<St>>,
}

impl<St> Handle<St> {
    pub(super) fn new(name: Arc<str>, level: Arc<str>, rule: Arc<Rule<St>>) -> Self {
        Self { name, level, rule }
    }
}

impl<St: Store> Handle<St> {
    /// How refusals call the limit.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How many requests there may be of each key.
    #[must_use]
    pub fn limit(&self) -> Limit {
        self.rule.limit()
    }

    /// What is left for requests that have these values in the key, in their order. `None` where the
    /// store cannot be asked.
    ///
    /// # Cancel safety
    ///
    /// Asking takes nothing.
    pub async fn left<V: AsRef<str>>(
        &self,
        values: impl IntoIterator<Item = Option<V>>,
    ) -> Option<Left> {
        let key = Key::new(&self.level, values);
        let limit = {
            let now = self.rule.now();
            if let Some(gcra) = &now.gcra {
                return Some(gcra.left(key.as_str()));
            }
            now.limit
        };
        budget::left(&self.rule.store, key, limit).await
    }

    /// Changes the limit. A key that was not used has all of the new one. What was used of it stays
    /// used: of a rate as much is left as was, no more than the new one holds, and of a quota what
    /// the new amount has above what was used. A rate that becomes a quota, or the other way round,
    /// begins anew.
    ///
    /// Other processes that share the store change theirs themselves; until all have, each decides
    /// by its own.
    ///
    /// # Errors
    ///
    /// A limit that cannot be kept. Nothing changes then.
    pub fn set_limit(&self, limit: impl Into<Limit>) -> Result<(), ConfigError> {
        self.rule.set(limit.into())
    }
}
