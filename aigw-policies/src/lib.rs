//! aigw-policies
pub use aigw_core as core;
