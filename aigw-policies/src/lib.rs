//! The policies of an AI gateway, each a tower layer that works alone.
//!
//! | feature | policy |
//! |---|---|
//! | `access` | tells callers by their keys; outside `CallLayer` |
//! | `drain` | reads answers to their end when their callers have hung up; outermost |

#[cfg(feature = "access")]
pub mod access;
#[cfg(feature = "token-limit")]
pub mod budget;
#[cfg(feature = "drain")]
pub mod drain;

pub use aigw_core;
