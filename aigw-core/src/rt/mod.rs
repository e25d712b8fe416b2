//! Time, tasks and blocking work as parameters.
//!
//! No layer sleeps or spawns on its own, and none reads a clock but [`SystemClock`], the default
//! where only durations are measured: whoever assembles the stack passes in a [`Clock`], a [`Timer`], a [`Spawn`] or an [`Offload`]. The algorithms take plain instants,
//! so they are tested without any of these. [`Tokio`] (feature `tokio`) is all four at once, and
//! follows tokio's paused time in tests.
//!
//! # Examples
//!
//! ```
//! use aigw_core::rt::{Clock, SystemClock};
//!
//! let clock = SystemClock;
//! let start = clock.now();
//! assert!(clock.now() >= start);
//! ```

mod clock;
mod task;
mod timer;
#[cfg(feature = "tokio")]
mod tokio;

#[cfg(feature = "tokio")]
pub use self::tokio::{Tokio, TokioOffload, TokioSleep};
pub use self::{
    clock::{Clock, SystemClock},
    task::{Offload, OffloadError, Spawn},
    timer::{Never, NoTimer, Timer},
};
