//! What became of a call.

mod fault;

pub use self::fault::{Fault, FaultKind};
