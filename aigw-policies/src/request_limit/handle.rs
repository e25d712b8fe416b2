use std::{fmt, sync::Arc};

use super::{ConfigError, limiter::Limiter};
use crate::budget::{self, Key, KeyError, Left, Limit, Store};

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
/// assert_eq!(handle.left(&[Some("team-a")]).await?.unwrap().remaining, 50);
/// handle.set_limit(rate(100)?)?;
/// assert_eq!(format!("{}: {}", handle.name(), handle.limit()), "requests: 100 per minute");
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Handle<St> {
    limiter: Arc<Limiter<St>>,
}

impl<St> Handle<St> {
    pub(super) fn new(limiter: Arc<Limiter<St>>) -> Self {
        Self { limiter }
    }
}

impl<St: Store> Handle<St> {
    /// How refusals call the limit.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.limiter.name
    }

    /// How many requests there may be of each key.
    #[must_use]
    pub fn limit(&self) -> Limit {
        self.limiter.rule.limit()
    }

    /// What is left for requests that have these values in the key, in their order: `&[]` where all
    /// are counted together, and a `None` among them for requests that lack the property. Itself
    /// `None` where the store cannot be asked.
    ///
    /// # Errors
    ///
    /// The key has more or fewer values.
    ///
    /// # Cancel safety
    ///
    /// Asking takes nothing.
    pub async fn left(&self, values: &[Option<&str>]) -> Result<Option<Left>, KeyError> {
        let Limiter {
            level, key, rule, ..
        } = &*self.limiter;
        let key = Key::of(level, key.len(), values)?;
        let limit = {
            let now = rule.now();
            if let Some(gcra) = &now.gcra {
                return Ok(Some(gcra.left(key.as_str())));
            }
            now.limit
        };
        Ok(budget::left(&rule.store, key, limit).await)
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
        self.limiter.rule.set(limit.into())
    }
}

impl<St> fmt::Debug for Handle<St> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Limiter { name, rule, .. } = &*self.limiter;
        f.debug_tuple("Handle").field(name).field(rule).finish()
    }
}
