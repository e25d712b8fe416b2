//! Where aigw's answer caches are going to live: exact, semantic, and their stores.
//!
//! There is no cache here yet. The crate stands so that the workspace has its shape: caches see the
//! typed call and the meter of [`aigw_core`], and neither policies nor backends.

pub use aigw_core;
