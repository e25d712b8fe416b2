//! Ends a stream before its provider does, as if the model had reached its greatest length.
//!
//! Every client knows what to do with an answer that was cut off at its greatest length, and none
//! with a stream that breaks. Whoever ends a stream early shows [`Shown`] its events as they pass,
//! passes the last one whole, sends the [`ending()`] behind it, and ends the body in order.
//!
//! | dialect | ending |
//! |---|---|
//! | OpenAI and Azure, chat | for each choice under way a chunk with `finish_reason: "length"`; a chunk with the usage, if the caller asked for it; `[DONE]` |
//! | OpenAI, completions | the same as text completions |
//! | OpenAI and Azure, Responses | `response.incomplete` with the reason `max_output_tokens` |
//! | Anthropic | `content_block_stop` for an open block; `message_delta` with `stop_reason: "max_tokens"`; `message_stop` |
//! | Gemini | a chunk with `finishReason: "MAX_TOKENS"` for each candidate under way |
//!
//! There is none for other operations, nor for Gemini's JSON array, which is one document. What a
//! vendor sends to close the items of a response, with all of their text once more, is left out:
//! the `output` of `response.incomplete` is that of `response.created`.
//!
//! # Examples
//!
//! ```
//! use std::convert::Infallible;
//!
//! use aigw_core::{
//!     call::{CallLayer, HasCall},
//!     sse::{Lexer, Token},
//!     truncate::{self, Shown},
//!     usage::Usage,
//! };
//! use http::{Request, Response};
//! use tower::{Layer, ServiceExt, service_fn};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
//! let service = CallLayer::new().layer(service_fn(async |request: Request<_>| {
//!     let mut shown = Shown::of(HasCall::call(request.body())).expect("a chat");
//!     let (mut lexer, mut passed) = (Lexer::new(), &b"data: {\"choices\":[{\"index\":0}]}\n\n"[..]);
//!     while let Some(token) = lexer.next(&mut passed) {
//!         shown.read(token);
//!     }
//!     assert!(shown.is_open());
//!     let ending = truncate::ending(&shown, &Usage::default());
//!     assert!(ending.ends_with(b"data: [DONE]\n\n"));
//!     Ok::<_, Infallible>(Response::new(String::new()))
//! }));
//! let body = r#"{"model":"m","stream":true,"messages":[]}"#.to_owned();
//! service.oneshot(Request::post("/v1/chat/completions").body(body)?).await?;
//! # Ok(())
//! # }
//! ```

mod ending;
mod event;
mod form;
mod shown;

pub use self::{ending::ending, shown::Shown};
