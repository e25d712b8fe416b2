//! What the example programs share.

pub mod gateway;
pub mod lab;
pub mod server;
pub mod simulator;

#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
