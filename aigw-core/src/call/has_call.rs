use std::sync::Arc;

use bytes::Bytes;
use http_body::Body;

use super::{Call, Edit};

/// A request body that carries the call that was read from it.
///
/// [`CallBody`](super::CallBody) is one. A policy is generic over this trait and learns from
/// [`call`](Self::call) what is asked, without reading the body again.
#[diagnostic::on_unimplemented(
    message = "`{Self}` carries no call: this policy needs a `CallLayer` above it",
    label = "this request body does not implement `HasCall`",
    note = "put `aigw_core::call::CallLayer` between the server and this policy, or bracket the policy with `aigw_core::around`"
)]
pub trait HasCall: Body<Data = Bytes> {
    /// What is asked.
    fn call(&self) -> &Arc<Call>;

    /// The model to send on: that of the last [`Edit::Model`], else the one that was asked.
    fn model(&self) -> Option<&str>;

    /// Changes what is sent on, not what [`call`](Self::call) says was asked. Answers whether the
    /// change took effect: it does not in an opaque body, once sending has begun, or where
    /// `stream_options` is no object.
    ///
    /// The head of a request does not follow: [`Edit::apply`] sees to both.
    #[must_use = "not every body can be edited"]
    fn edit(&mut self, edit: Edit) -> bool;

    /// Another body that sends the same bytes, edits included, sharing them. `None` once sending
    /// has begun, and for an opaque body.
    #[must_use]
    fn try_clone(&self) -> Option<Self>
    where
        Self: Sized;
}
