//! The gateway over TCP, between clients and providers that are not its own.
//!
//! Each test opens a gateway of its own, on a port and a runtime of its own; a few start the built
//! program. Tests that need programs of others, the vendors' SDKs and curl, are marked `ignored`:
//! `cargo xtask test` installs the SDKs and runs them all.

#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test fails by panicking, and what its helpers print is shown then"
)]

// What the tests stand on.
mod callers;
mod house;
mod limits;
mod process;
mod tap;
mod upstream;
mod wire;

mod access;
mod cancel;
mod check;
mod curl;
mod drain;
mod encodings;
mod large;
mod many;
mod refusals;
mod remarks;
mod sdk;
mod shared;
mod stall;
mod upload;
mod versions;
