use std::sync::Arc;

use super::{ConfigError, config, places::Places};
use crate::budget::Key;

/// Shows how full a limit is, and changes it while it runs. Made by
/// [`ConcurrencyLimitLayer::handle`](super::ConcurrencyLimitLayer::handle); clones are handles of
/// the same limit. Where processes share its places, it shows the calls of this one and changes what
/// this one asks for.
///
/// # Examples
///
/// ```
/// use aigw_core::rt::NoTimer;
/// use aigw_policies::concurrency_limit::{ConcurrencyLimitLayer, Config};
///
/// let handle = ConcurrencyLimitLayer::try_new(Config::new([], 64), NoTimer)?.handle();
/// assert_eq!((handle.levels().in_flight, handle.levels().queued), (0, 0));
/// handle.set_calls(32)?;
/// assert_eq!(handle.calls(), 32);
/// assert!(handle.set_calls(0).is_err());
/// # Ok::<(), aigw_policies::concurrency_limit::ConfigError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Handle {
    name: Option<Arc<str>>,
    places: Places,
}

/// How many calls there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Levels {
    /// Calls that hold a place: those whose answer has not ended.
    pub in_flight: usize,
    /// Calls in the queue.
    pub queued: usize,
}

impl Handle {
    pub(super) fn new(name: Option<Arc<str>>, places: Places) -> Self {
        Self { name, places }
    }

    /// How refusals call the limit, where it has a name.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// How many calls there are of all keys together.
    #[must_use]
    pub fn levels(&self) -> Levels {
        self.places.levels()
    }

    /// How many calls there are of each key that has any, in no order. A key shows the name of the
    /// limit and the values of the call, as `gold:=team-a`.
    #[must_use]
    pub fn levels_by_key(&self) -> Vec<(Key, Levels)> {
        let levels = self.places.levels_by_key().into_iter();
        levels
            .map(|(key, levels)| ((*key).clone(), levels))
            .collect()
    }

    /// How many calls of a key may be inside.
    #[must_use]
    pub fn calls(&self) -> usize {
        self.places.terms().calls
    }

    /// Changes how many calls of a key may be inside. Where there are more of them now, waiting
    /// calls enter at once; where there are fewer, those inside finish, and nobody enters until so
    /// many have.
    ///
    /// # Errors
    ///
    /// Refuses 0, and what is not above the reserve.
    pub fn set_calls(&self, calls: usize) -> Result<(), ConfigError> {
        config::check_calls(calls, self.places.terms().reserve)?;
        self.places.set_calls(calls);
        Ok(())
    }
}
