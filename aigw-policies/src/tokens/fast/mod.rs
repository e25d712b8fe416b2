//! Estimates prompts without a tokenizer, and learns from what providers count.

mod class;
#[expect(
    clippy::module_inception,
    reason = "the module is named for its main type"
)]
mod fast;
mod features;
mod models;
mod prior;
mod regression;
mod scan;
mod unescape;

pub(super) use self::features::Features;
pub use self::{fast::Fast, models::Accuracy};
