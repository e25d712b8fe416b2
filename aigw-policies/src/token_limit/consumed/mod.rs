//! Tells in a header how many tokens a call has used.
//!
//! What was used is known at the end of an answer, and headers stand at its beginning: of an answer
//! in one document the head waits for the end, up to [1 MiB](ConsumedLayer::MOST). Most providers send
//! such an answer at once when it is done, so that the caller waits no longer. Streams are not held up,
//! and have no such header; nor have failures, larger documents, and those that cannot be read.
//!
//! The number is that of input and output, as the provider has stated it, or the output alone as
//! it is counted from the content. It stands outside [`TokenLimitLayer`](super::TokenLimitLayer), or
//! without it, wherever bodies are metered; what it holds comes unchanged, frame by frame.
//!
//! # Examples
//!
//! ```
//! use aigw_policies::{aigw_core::around, token_limit::consumed::ConsumedLayer};
//! use http::{HeaderName, Request, Response};
//! use tower::{Layer, ServiceExt, service_fn};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
//! let consumed = ConsumedLayer::new(HeaderName::from_static("x-tokens-consumed"));
//! let service = around(consumed).layer(service_fn(async |_| {
//!     let answer = r#"{"usage":{"prompt_tokens":300,"completion_tokens":200}}"#;
//!     Response::builder().header("content-type", "application/json").body(answer.to_owned())
//! }));
//! let body = r#"{"model":"gpt-4o","messages":[]}"#.to_owned();
//! let answer = service.oneshot(Request::post("/v1/chat/completions").body(body)?).await?;
//! assert_eq!(answer.headers()["x-tokens-consumed"], "500");
//! # Ok(())
//! # }
//! ```

mod body;
mod future;
mod layer;

pub use self::{
    body::ResponseBody,
    future::ResponseFuture,
    layer::{Consumed, ConsumedLayer},
};
