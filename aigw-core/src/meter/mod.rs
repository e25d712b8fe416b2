//! The typed response: what an answer used, read as it passes.
//!
//! [`MeterLayer`] wraps the provider's answer in a [`MeterBody`]: the same bytes and trailers, read
//! on the side, split anywhere, in memory that does not grow. Every policy above reads the one
//! [`Meter`] through the [`Metered`] trait when the body ends, fails or is dropped, so limits,
//! metrics, logs and breakers agree about what a call used.
//!
//! ```text
//! provider ──► MeterBody ──► HideUsage ──► policy bodies ──► caller
//!                 │ reads                       │
//!                 └──────► Meter, Ending ◄──────┘ ask, at any moment
//! ```
//!
//! # Usage of streams
//!
//! OpenAI's streams state their usage only when asked. The layer [asks](IncludeUsage::Auto) where
//! the caller did not, and [hides](HideUsage) the one event more; a `content-length` of such a stream
//! is removed, since the caller receives less. A backend that refuses the
//! question with a 400 or 422 is called once more without it, and, if that succeeds, not asked
//! again for that model by this layer.
//!
//! # What is not read
//!
//! Answers with a `content-encoding`, with a status other than 2xx, or of a content type other than
//! JSON and server-sent events pass unread: their usage is
//! [unmeasured](crate::usage::Source::Unmeasured), which is never zero.
//!
//! An answer that a layer of ours below gave in the provider's place, such as the leaf's 502, is
//! unread too; its [origin](Meter::origin) is none, and its [`Ending`] the fault that it answers
//! for.
//!
//! # Examples
//!
//! ```
//! use std::convert::Infallible;
//!
//! use aigw_core::{call::CallLayer, meter::{Ending, MeterLayer, Metered}};
//! use http::{Request, Response, header::CONTENT_TYPE};
//! use http_body_util::BodyExt;
//! use tower::{ServiceBuilder, ServiceExt};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
//! let stack = ServiceBuilder::new().layer(CallLayer::new()).layer(MeterLayer::new());
//! let service = stack.service_fn(async |_| {
//!     let answer = r#"{"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":4}}"#;
//!     let mut response = Response::new(answer.to_owned());
//!     response.headers_mut().insert(CONTENT_TYPE, "application/json".parse().unwrap());
//!     Ok::<_, Infallible>(response)
//! });
//!
//! let body = r#"{"model":"m","messages":[]}"#.to_owned();
//! let request = Request::post("/v1/chat/completions").body(body)?;
//! let mut answer = service.oneshot(request).await?.into_body();
//! while let Some(frame) = answer.frame().await {
//!     frame?;
//! }
//! assert_eq!(answer.meter().usage().total(), Some(7));
//! assert_eq!(answer.ending(), Ending::Complete);
//! # Ok(())
//! # }
//! ```
//!
//! [`report`] tells once what each call used, and is the skeleton of every policy.

pub mod across;
mod asking;
mod body;
mod boxed;
mod ending;
mod familiar;
mod future;
mod hide_usage;
mod hider;
mod layer;
#[expect(
    clippy::module_inception,
    reason = "the module is named for its main type"
)]
mod meter;
mod metered;
mod reader;
pub mod report;
mod service;
mod tally;

pub use self::{
    across::Across,
    body::MeterBody,
    boxed::BoxMetered,
    ending::Ending,
    future::ResponseFuture,
    hide_usage::HideUsage,
    layer::{IncludeUsage, MeterLayer},
    meter::{FinishReason, InBandError, Meter, Origin, Reads},
    metered::Metered,
    report::{Ended, Report, ReportLayer},
    service::MeterService,
};
