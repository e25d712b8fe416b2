//! Tells what a call used, once it is over.
//!
//! [`ReportLayer`] calls a [`Report`] exactly once for each call: when the answer's body ends or
//! fails, or when it or the call itself is dropped, whichever is first.
//!
//! # Examples
//!
//! ```
//! use aigw_core::{around, meter::{Ended, Ending, ReportLayer}};
//! use http::{Request, Response, header::CONTENT_TYPE};
//! use http_body_util::BodyExt;
//! use tower::{Layer, ServiceExt, service_fn};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
//! let provider = service_fn(async |_| {
//!     let answer = r#"{"model":"m","choices":[],"usage":{"prompt_tokens":3,"completion_tokens":4}}"#;
//!     Response::builder().header(CONTENT_TYPE, "application/json").body(answer.to_owned())
//! });
//! let (send, reports) = std::sync::mpsc::channel();
//! let service = around(ReportLayer::new(move |ended: &Ended<'_>| {
//!     let _ = send.send((ended.meter.usage().total(), ended.ending));
//! }))
//! .layer(provider);
//!
//! let body = r#"{"model":"m","messages":[]}"#.to_owned();
//! let request = Request::post("/v1/chat/completions").body(body)?;
//! service.oneshot(request).await?.into_body().collect().await?;
//! assert_eq!(reports.recv()?, (Some(7), Ending::Complete));
//! # Ok(())
//! # }
//! ```

mod body;
mod future;
mod guard;
mod layer;
mod service;

pub use self::{
    body::ResponseBody,
    future::ResponseFuture,
    guard::{Ended, Report},
    layer::ReportLayer,
    service::ReportService,
};
