//! The typed AI call and its meter: what every aigw policy stands on.
//!
//! Two ideas hold a gateway together, and both are plain [tower] layers over [`http::Request`] and
//! [`http::Response`] with any body:
//!
//! - **The request carries the call.** [`CallLayer`](call::CallLayer) reads the body once and
//!   passes on a [`CallBody`](call::CallBody), from which every policy learns what is asked:
//!   operation, dialect, model, whether it streams, where the prompt stands. See [`call`].
//! - **The response carries its meter.** [`MeterLayer`](meter::MeterLayer) reads the answer as it
//!   passes, byte for byte, and every policy asks the one [`Meter`](meter::Meter) what was used
//!   when the body ends, fails or is dropped. See [`meter`].
//!
//! ```text
//!  server ──► CallLayer ──► policies ──► MeterLayer ──► client ──► provider
//!                 │ Request<impl HasCall>      │
//!                 │            Response<impl Metered>
//!                 └─ refuses what it cannot read, in the caller's own dialect
//! ```
//!
//! A stack without one of the two does not compile, and the compiler's message says which layer is
//! missing. [`around()`] brackets a single policy with both.
//!
//! # Examples
//!
//! What did that call use? Whatever the server, whatever the dialect, streamed or not:
//!
//! ```
//! use aigw_core::{around, meter::{Ended, ReportLayer}};
//! use http::{Request, Response};
//! use http_body_util::BodyExt;
//! use tower::{Layer, ServiceExt, service_fn};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
//! let (told, reports) = std::sync::mpsc::channel();
//! let report = ReportLayer::new(move |ended: &Ended<'_>| {
//!     let model = ended.call.model().map(str::to_owned);
//!     let _ = told.send((model, ended.meter.usage().total()));
//! });
//! let provider = service_fn(async |_| {
//!     let answer = r#"{"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":4}}"#;
//!     Response::builder().header("content-type", "application/json").body(answer.to_owned())
//! });
//! let service = around(report).layer(provider);
//!
//! let body = r#"{"model":"gpt-4o","messages":[]}"#.to_owned();
//! let request = Request::post("/v1/chat/completions").body(body)?;
//! // The report is made when the caller has read the answer, not when its head has come.
//! service.oneshot(request).await?.into_body().collect().await?;
//! assert_eq!(reports.recv()?, (Some("gpt-4o".to_owned()), Some(7)));
//! # Ok(())
//! # }
//! ```
//!
//! # What else is here
//!
//! [`dialect`] tells whose words a call speaks, [`usage`] is one normal form for what all of them
//! count, [`outcome`] says what became of a call and how long to wait, [`reject`] answers in the
//! caller's own dialect, [`key`] names what calls are told apart by, [`sse`] reads event streams,
//! [`truncate`] ends them early, [`observe`] takes events of the process, and [`rt`] is time and
//! tasks as parameters.
//!
//! # Features
//!
//! | feature | brings |
//! |---|---|
//! | `tokio` | [`rt::Tokio`]: clock, timer, spawner and offloading |
//! | `serde` | settings of this crate can be read from files |
//! | `test-util` | `testing`: a scripted provider, and the contract suites that policies are tested with |
//!
//! None is on by default. Without them the crate knows no runtime and no network.
//!
//! [tower]: https://docs.rs/tower

/// An error of any kind, for bodies that must add one of their own.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

mod around;
mod body;
pub mod call;
pub mod dialect;
pub mod duration;
mod gathered;
mod headers;
mod json;
pub mod key;
pub mod meter;
pub mod observe;
pub mod outcome;
pub mod reject;
pub mod rt;
pub mod sse;
#[cfg(feature = "test-util")]
pub mod testing;
pub mod truncate;
pub mod usage;

pub use self::around::{Around, around};
