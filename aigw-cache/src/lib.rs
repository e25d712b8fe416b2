//! aigw-cache
pub use aigw_core as core;
