//! What the meter reads of recorded answers, however they are cut, and what it passes on.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "helpers of tests"
)]

#[path = "../support/mod.rs"]
mod support;

mod across;
mod answer;
mod asking;
mod ending;
mod familiar;
mod fixtures;
mod hide_usage;
mod odd_streams;
mod recorded;
mod report;
mod truncate;
