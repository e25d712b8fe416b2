//! Behaviour of the token limit through its public API.

#![cfg(feature = "token-limit")]
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may fail loudly"
)]

mod admitting;
#[cfg(feature = "serde")]
mod config;
mod consumed;
mod counting;
mod dialects;
mod dropping;
mod following;
mod house;
mod money;
mod operating;
mod serving;
mod settling;
mod stopping;
mod telling;
mod utilisation;
