//! What became of a call: faults, waits, and the verdict on a backend.
//!
//! A [`Fault`] is what went wrong below HTTP or in time, a [`RetryHint`] how long a provider asks
//! to wait, in whichever of the forms in use, and an [`Outcome`] what both say about the backend.
//! All of it is pure: the time is passed in.
//!
//! # Examples
//!
//! ```
//! use std::time::SystemTime;
//!
//! use aigw_core::{
//!     meter::Ending,
//!     outcome::{Fault, FaultKind, Outcome},
//! };
//! use http::{HeaderMap, StatusCode};
//!
//! let now = SystemTime::now();
//! let head = Outcome::classify(StatusCode::OK, &HeaderMap::new(), None, now);
//! assert_eq!(head, Outcome::Success);
//! let end = Ending::Fault(Fault::dispatched(FaultKind::Truncated));
//! assert_eq!(Outcome::of_ending(end), Outcome::Failure);
//! ```

mod fault;
mod go_duration;
mod hint;
#[expect(
    clippy::module_inception,
    reason = "the module is named for its main type"
)]
mod outcome;
mod rfc3339;
#[cfg(test)]
mod tests;

pub use self::{
    fault::{Fault, FaultKind},
    hint::RetryHint,
    outcome::Outcome,
};
