//! Refuses in the caller's own dialect, so that the vendors' SDKs raise their own typed errors.
//!
//! A layer that refuses states a [`Reason`] and a message in a [`Refusal`]; a [`MakeRejection`]
//! makes the answer, [`DialectJson`] by default; the typed [`Refused`] stays in the answer's
//! extensions. Refusals are answers, never service errors. [`Body`] is the response body of a layer
//! that may refuse, [`ResponseFuture`] the future of one that decides before it calls, and
//! [`in_band`] the error for a stream that has begun.
//!
//! ```text
//! Reason ─► Refusal ─► MakeRejection ─► Response<Bytes> ─► refused ─► Response<Body<B>>
//!              └─► Refused: in the answer's extensions, and a fact of the call
//! ```
//!
//! # Shapes
//!
//! | dialect | document |
//! |---|---|
//! | OpenAI | `{"error":{"message","type","param","code"}}` |
//! | Azure OpenAI, Azure AI | `{"error":{"code","message"}}`, `innererror` for refused content |
//! | Anthropic | `{"type":"error","error":{"type","message"}}` |
//! | Gemini | `{"error":{"code","message","status"}}`, with a `RetryInfo` where there is a wait |
//!
//! What the vendors' clients make of them, read in their sources:
//!
//! - `openai` for Python picks the exception by status (`_make_status_error` of its client: 400,
//!   401, 403, 404, 409, 422, 429, and one class for 500 and above) and takes `code`, `param` and
//!   `type` from the `error` object. In a stream it raises on any event whose data has an `error`
//!   (`_streaming`).
//! - `anthropic` for Python does the same by status and keeps the whole document; in a stream it
//!   raises on an event that is named `error`. The types and their statuses are those of
//!   Anthropic's page on errors and of the SDK's `ErrorObject`.
//! - `google-genai` for Python raises a client error for 4xx and a server error for 5xx and reads
//!   `code`, `message` and `status` from the `error` object (`errors`). The words are those of
//!   `google.rpc.Code`, whose reference lists the status of each.
//! - Azure's error for refused content has the code `content_filter` and the inner code
//!   `ResponsibleAIPolicyViolation`, as its documentation of content filtering shows.
//! - The SDKs of OpenAI and Anthropic obey `x-should-retry`, and read `retry-after-ms` before
//!   `retry-after` (`_base_client`).
//!
//! # Examples
//!
//! ```
//! use std::time::Duration;
//!
//! use aigw_core::{
//!     dialect::Dialect,
//!     reject::{DialectJson, Reason, Refusal, Refused},
//! };
//!
//! let response = Refusal::new(Reason::RateLimit, "try again in 1.5 s")
//!     .retry_after(Duration::from_millis(1500))
//!     .into_response(Dialect::Anthropic, &DialectJson);
//!
//! assert_eq!(response.status(), 429);
//! assert_eq!(response.headers()["retry-after"], "2");
//! assert_eq!(response.headers()["retry-after-ms"], "1500");
//! let document: serde_json::Value = serde_json::from_slice(response.body()).unwrap();
//! assert_eq!(document["error"]["type"], "rate_limit_error");
//! assert_eq!(Refused::of(response.extensions()).unwrap().reason, Reason::RateLimit);
//! ```

mod body;
mod future;
mod make;
mod reason;
mod refusal;
mod refused;
mod refuser;
mod shape;
#[cfg(test)]
mod tests;

pub use self::{
    body::{Body, passed, refused},
    future::ResponseFuture,
    make::{DialectJson, MakeRejection},
    reason::Reason,
    refusal::Refusal,
    refused::Refused,
    refuser::Refuser,
    shape::in_band,
};
