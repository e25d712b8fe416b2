//! The typed response: what an answer used, read as it passes.

mod ending;
#[expect(
    clippy::module_inception,
    reason = "the room is named for its main type"
)]
mod meter;
mod metered;

pub use self::{
    ending::Ending,
    meter::{FinishReason, InBandError, Meter, Origin},
    metered::Metered,
};
