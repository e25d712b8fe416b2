//! Ends calls that take too long, and connections whose reader does not read.
//!
//! Five deadlines belong to a call. `connect` is the client's own; the other four are those of
//! [`Timeouts`]:
//!
//! ```text
//!  call ──────► head ─────────► first content ─────► content … content ─────► end
//!   ├─ headers ──┤                   │                  ├ idle ┤                │
//!   ├─ first_token ──────────────────┤                                           │
//!   └─ total ────────────────────────────────────────────────────────────────────┘
//! ```
//!
//! Before the head, a deadline that passes becomes a 504 answer in the caller's dialect with a
//! [`Fault`] in its extensions. After it, the body yields an error with the [`Fault`] as its
//! source, and its [`ending`] says so. Either way the call below is dropped at once, which cancels
//! it at the provider.
//!
//! A stalled *reader* is another matter: its body is not polled, so no timer in it can fire.
//! [`WriteTimeout`] goes around the server's connection and closes it, whereupon everything above
//! is dropped. Over HTTP/2 a reader can stall one stream of a living connection:
//! [`ReaderTimeoutLayer`] gives that answer up.
//!
//! # What counts as progress
//!
//! In an event stream that the meter reads: content, a finish reason or an in-band error. Usage
//! alone, such as opens a stream of Anthropic's, does not count, nor do comments, pings and other
//! events without content: a stalled provider sends them to keep the connection. In every other
//! answer, each piece of data counts, and the first one is the first token.
//!
//! Silence is measured only while the provider is waited for. Time in which the caller does not
//! read is not held against it: what has arrived meanwhile is read before any deadline is looked
//! at.
//!
//! # Examples
//!
//! ```
//! use std::{convert::Infallible, time::Duration};
//!
//! use aigw_backends::timeout::{TimeoutLayer, Timeouts};
//! use aigw_core::{call::CallLayer, meter::MeterLayer, outcome::{Fault, FaultKind}, rt::Tokio};
//! use bytes::Bytes;
//! use http::{Request, Response};
//! use http_body_util::Full;
//! use tower::{ServiceBuilder, ServiceExt};
//!
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
//! let timeouts = Timeouts::default().headers(Duration::from_secs(30));
//! let stack = ServiceBuilder::new()
//!     .layer(CallLayer::new())
//!     .layer(TimeoutLayer::try_new(timeouts, Tokio)?)
//!     .layer(MeterLayer::new())
//!     .service_fn(|_| async {
//!         std::future::pending::<()>().await;
//!         Ok::<_, Infallible>(Response::new(Full::<Bytes>::default()))
//!     });
//!
//! let request = Request::post("/v1/chat/completions")
//!     .header("content-type", "application/json")
//!     .body(Full::<Bytes>::from(r#"{"model":"gpt-4o","messages":[]}"#))?;
//! let answer = stack.oneshot(request).await?;
//! assert_eq!(answer.status(), 504);
//! let fault = answer.extensions().get::<Fault>();
//! assert_eq!(fault.map(|fault| fault.kind), Some(FaultKind::HeadersTimeout));
//! # Ok(())
//! # }
//! ```
//!
//! # Cost
//!
//! No timer exists until something has to be waited for, and a call has at most one at a time,
//! inside its own future and body: nothing is allocated. While an answer runs, the one timer is
//! left as it stands and moved on only when it fires; each poll costs at most two readings of the
//! clock.
//!
//! [`ending`]: aigw_core::meter::Metered::ending
//! [`Fault`]: aigw_core::outcome::Fault

mod alarm;
mod body;
mod config;
mod deadlines;
mod future;
mod layer;
pub mod reader;
mod service;
mod write;

pub use self::{
    body::ResponseBody,
    config::{ConfigError, Timeouts},
    future::ResponseFuture,
    layer::TimeoutLayer,
    reader::{ReaderTimeout, ReaderTimeoutLayer},
    service::Timeout,
    write::WriteTimeout,
};
