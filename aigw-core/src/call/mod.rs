//! The typed request: what is asked, read once.

mod body;
mod budget;
#[expect(
    clippy::module_inception,
    reason = "the room is named for its main type"
)]
mod call;
mod edit;
mod has_call;
mod record;

pub use self::{
    body::CallBody,
    call::{Call, Part, PartKind},
    edit::Edit,
    has_call::HasCall,
    record::{Fact, Record},
};
