//! What the estimators promise, through their public API.

#![cfg(feature = "token-limit")]
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test may fail loudly"
)]

mod any;
#[cfg(feature = "tiktoken")]
mod chance;
#[cfg(feature = "tiktoken")]
mod exact;
mod fast;
#[cfg(feature = "tiktoken")]
mod prompts;
mod support;
