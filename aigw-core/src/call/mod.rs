//! The typed request: what is asked, read once.

mod body;
mod budget;
#[expect(
    clippy::module_inception,
    reason = "the room is named for its main type"
)]
mod call;
mod collect;
mod edit;
mod form;
mod future;
mod has_call;
mod layer;
mod peeking;
mod read;
mod record;
mod service;

use self::call::Carried;
pub use self::{
    body::CallBody,
    call::{Call, Part, PartKind},
    edit::Edit,
    future::ResponseFuture,
    has_call::HasCall,
    layer::CallLayer,
    record::{Fact, Record},
    service::CallService,
};
