//! aigw-backends
pub use aigw_core as core;
