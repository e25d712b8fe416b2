//! The typed request: what is asked, read once.
//!
//! [`CallLayer`] turns `Request<B>` into `Request<CallBody<B>>`. A policy is generic over
//! [`HasCall`], which [`CallBody`] is, and asks [`HasCall::call`] instead of the body:
//!
//! ```text
//!  Request<B> ──► recognize path ──► read body ──► Request<CallBody<B>>
//!                     │                  │             ├─ buffered: the caller's bytes, plus edits
//!                     │                  │             └─ opaque: the caller's frames, unread
//!                     └──── refused ◄────┘  415 · 413 · 408 · 400 · 501 · 503
//! ```
//!
//! # What is read
//!
//! *Buffered* are the JSON bodies of the operations that [have
//! one](crate::dialect::Operation::has_json_body): read whole, once, in one pass without a copy,
//! and never parsed again. An [`Edit`] changes the model or asks for usage; it is spliced into the
//! original bytes, so unknown fields, their order and the spelling of numbers survive, and
//! [`Edit::apply`] takes the length that was announced out of the head. A buffered body clones
//! without copying, edits included, which is what fail-over needs.
//!
//! *Opaque* is everything else: uploads, files, unknown operations. They pass frame by frame with
//! their trailers. Of a multipart form the fields before the first file, up to 64 KiB, are looked
//! at for `model`, and nothing behind them: to find one there, the whole file would have to be held
//! back. A form that writes its file first thus names no model, unless its path does; and of two
//! models, one on each side of the file, only the first is seen here.
//!
//! # What is refused
//!
//! What two readers could understand differently must not pass a gateway that decides by it: a body
//! that is not one JSON object in UTF-8, a deciding key that stands twice in one object (also spelt
//! with escapes), nesting deeper than 127, a `model` that is no string of Unicode. Then prompts of
//! more than 65,536 [pieces](Call::parts), bodies above
//! [`max_body_bytes`](CallLayer::max_body_bytes) or slower than
//! [`body_timeout`](CallLayer::body_timeout), encoded bodies, content types other than JSON, and
//! WebSocket upgrades. A client that waits for `100 Continue` is refused at once where the head
//! suffices. Other refused bodies are first read to their end and thrown away, up to eight times
//! the limit and within the body timeout, so that the connection stays usable; but for a form with
//! two models, which is not read on.
//!
//! Trailers of a buffered request are dropped.
//!
//! Each refusal is a response in the caller's dialect with a [`Refused`](crate::reject::Refused) in
//! its extensions and in the [`Record`].
//!
//! # Examples
//!
//! ```
//! use aigw_core::call::{CallLayer, HasCall};
//! use http::{Request, Response};
//! use http_body_util::Empty;
//! use tower::{Layer, ServiceExt, service_fn};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
//! let policy = service_fn(async |request: Request<_>| {
//!     let call = HasCall::call(request.body());
//!     assert_eq!((call.model(), call.streams()), (Some("gpt-4o"), true));
//!     Ok::<_, std::convert::Infallible>(Response::new(Empty::<bytes::Bytes>::new()))
//! });
//! let service = CallLayer::new().layer(policy);
//!
//! let body = r#"{"model": "gpt-4o", "stream": true, "messages": []}"#.to_owned();
//! let answer = service.clone().oneshot(Request::post("/v1/chat/completions").body(body)?).await?;
//! assert_eq!(answer.status(), 200);
//!
//! let ambiguous = r#"{"model": "cheap", "mod\u0065l": "dear", "messages": []}"#.to_owned();
//! let answer = service.oneshot(Request::post("/v1/chat/completions").body(ambiguous)?).await?;
//! assert_eq!(answer.status(), 400);
//! # Ok(())
//! # }
//! ```

mod body;
mod budget;
#[expect(
    clippy::module_inception,
    reason = "the module is named for its main type"
)]
mod call;
mod collect;
mod edit;
mod form;
mod future;
mod has_call;
mod layer;
mod long_string;
mod peeking;
mod preparing;
mod read;
mod record;
mod service;

use self::call::Carried;
pub(crate) use self::call::Summary;
pub use self::{
    body::CallBody,
    call::{Call, Part, PartKind},
    edit::Edit,
    future::ResponseFuture,
    has_call::HasCall,
    layer::CallLayer,
    long_string::LongString,
    record::{Fact, Record},
    service::CallService,
};
