//! What the example programs share.

pub mod gateway;
pub mod server;
pub mod simulator;
