//! `CallLayer` through its public API: what is read, edited, passed on and refused.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests"
)]

#[path = "../support/mod.rs"]
#[allow(dead_code, reason = "shared by several tests")]
mod support;

mod bounds;
mod edits;
mod forms;
mod passing;
mod refusals;
mod stack;
mod strings;
