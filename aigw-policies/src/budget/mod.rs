//! How much of something may be used in a time: the limits of every limiter, and their arithmetic.
//!
//! A [`Rate`] flows back all the time, a [`Quota`] is there again when a period begins. What they
//! count is the limiter's: tokens, or calls. An amount is *taken* before it is known what will be
//! used, and *settled* once it is:
//!
//! ```text
//!            fits now ──► taken ──► settled with what was used: the rest goes back to the period
//!  amount ──►                       it came from, more than was taken is a debt
//!            later ─────► after exactly this long
//!            never ─────► it is more than the limit itself
//! ```
//!
//! A [`Key`] says whose an amount is and a [`Condition`] which calls are meant; a [`Store`] keeps what
//! each key has left, and decides over all budgets of a call at once. A clock that steps back brings
//! nothing and brings nothing twice: who waits then waits until it is where it was.
//!
//! # Examples
//!
//! ```
//! use std::time::Duration;
//!
//! use aigw_policies::budget::{
//!     Align, Claim, Key, Limit, MemoryStore, Period, Quota, Rate, Store, Verdict,
//! };
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), aigw_policies::budget::LimitError> {
//! let rate = Limit::from(Rate::try_new(100_000, Duration::from_secs(60))?);
//! let quota = Limit::from(Quota::try_new(1_000_000, Period::Month, Align::Utc)?);
//! assert_eq!((rate.to_string(), quota.to_string()), ("100000 per minute".into(), "1000000 per month".into()));
//!
//! // Both at once, for one team: all of it is taken, or nothing.
//! let claims = |amount| [("rate", rate), ("monthly", quota)].map(|(budget, limit)| Claim {
//!     key: Key::new(budget, [Some("team-a")]),
//!     limit,
//!     amount,
//! });
//! let store = MemoryStore::new();
//! let Verdict::Admitted(holds) = store.reserve(claims(60_000).into()).await else { panic!() };
//! let Verdict::Refused(refused) = store.reserve(claims(60_000).into()).await else { panic!() };
//! // The rate decides; it brings what is missing in less than twelve seconds.
//! assert_eq!(refused.claim, 0);
//! assert_eq!(refused.wait.unwrap().as_secs(), 11);
//! store.settle(holds, &[500, 500]);
//! let left = store.left(&claims(0)[1].key, &quota).unwrap();
//! assert_eq!(left.remaining, 999_500);
//! # Ok(())
//! # }
//! ```

mod bucket;
mod calendar;
mod condition;
#[cfg(any(feature = "request-limit", feature = "token-limit"))]
mod headers;
mod level;
mod limit;
#[cfg(any(feature = "request-limit", feature = "token-limit"))]
pub(crate) mod refusal;
mod rolling;
mod store;
#[cfg(test)]
mod tests;
mod timestamp;
#[cfg(any(feature = "request-limit", feature = "token-limit"))]
pub(crate) mod told;
#[cfg(any(feature = "request-limit", feature = "token-limit"))]
mod wait;
mod window;

#[cfg(any(feature = "request-limit", feature = "token-limit"))]
pub use self::headers::Headers;
use self::level::{Fit, Level, Taken};
#[cfg(any(feature = "request-limit", feature = "token-limit"))]
pub(crate) use self::store::left;
#[cfg(feature = "redis")]
pub use self::store::redis;
#[cfg(feature = "request-limit")]
pub(crate) use self::store::shards;
pub(crate) use self::timestamp::Timestamp;
#[cfg(any(feature = "request-limit", feature = "token-limit"))]
pub(crate) use self::wait::Wait;
pub use self::{
    condition::{Condition, ConditionError},
    level::Left,
    limit::{Align, Limit, LimitError, Period, Quota, Rate},
    store::{Claim, Hold, Key, KeyError, MemoryStore, Refused, Reserving, Store, Verdict},
};
