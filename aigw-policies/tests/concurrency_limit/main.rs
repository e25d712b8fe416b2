//! How many calls are under way at once.
#![cfg(feature = "concurrency-limit")]
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod below;
mod places;
mod queue;
mod refusals;
