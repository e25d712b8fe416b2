//! The policies of an AI gateway, each a tower layer that works alone.
//!
//! | feature | policy |
//! |---|---|
//! | `access` | tells callers by their keys; outside `CallLayer` |
//! | `concurrency-limit` | admits so many calls at once, and lets others wait in a fair queue |
//! | `drain` | reads answers to their end when their callers have hung up; outermost |
//! | `request-limit` | admits so many requests in a time; outside what costs more than to refuse |
//! | `token-limit` | admits calls while their budgets have tokens left; inside caches |
//! | `redis` | keeps what is left of limits in Redis, for many processes: `budget::redis`; brings `token-limit` along; not in `full` |
//! | `tiktoken` | counts prompts by the vocabularies of OpenAI's models, for it: `tokens::Exact`; not in `full` |

#[cfg(feature = "access")]
pub mod access;
#[cfg(any(feature = "concurrency-limit", feature = "token-limit"))]
mod boxed;
#[cfg(any(
    feature = "concurrency-limit",
    feature = "request-limit",
    feature = "token-limit"
))]
pub mod budget;
#[cfg(feature = "concurrency-limit")]
pub mod concurrency_limit;
#[cfg(feature = "drain")]
pub mod drain;
#[cfg(feature = "request-limit")]
pub mod request_limit;
#[cfg(feature = "token-limit")]
pub mod token_limit;
#[cfg(feature = "token-limit")]
pub mod tokens;

pub use aigw_core;
