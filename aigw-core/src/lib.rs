//! The typed AI call and its meter.

/// An error of any kind, for bodies that must add one of their own.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

mod around;
mod body;
pub mod call;
pub mod dialect;
mod json;
pub mod key;
pub mod meter;
pub mod observe;
pub mod outcome;
pub mod reject;
pub mod rt;
pub mod sse;
#[cfg(feature = "test-util")]
pub mod testing;
pub mod usage;

pub use self::around::{Around, around};
