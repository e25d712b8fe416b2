//! The typed response: what an answer used, read as it passes.

mod body;
mod ending;
#[expect(
    clippy::module_inception,
    reason = "the room is named for its main type"
)]
mod meter;
mod metered;
mod reader;
mod tally;

pub use self::{
    body::MeterBody,
    ending::Ending,
    meter::{FinishReason, InBandError, Meter, Origin},
    metered::Metered,
};
