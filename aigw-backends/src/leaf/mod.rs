//! Turns transport errors into answers, so that nothing above has to know a transport.
//!
//! Any `Service<http::Request<_>>` that reaches a provider becomes the leaf of a stack by being
//! wrapped in a [`Leaf`]: a hyper-util client, a reqwest client behind tower, a `service_fn` in a
//! test. From there upwards a failed connection is a 502 or 504 answer in the caller's dialect,
//! with a [`Fault`] in its extensions; a body that breaks yields an error with the [`Fault`] among
//! its sources; and the service's own error is [`Infallible`].
//!
//! What an error means is read by [`diagnose()`], or by a function of your own
//! ([`Leaf::diagnose_with`]). The client of this crate (feature `client`) has diagnosed its errors
//! already.
//!
//! # Examples
//!
//! ```
//! use std::io;
//!
//! use aigw_backends::leaf::Leaf;
//! use aigw_core::{call::CallLayer, outcome::{Fault, FaultKind}};
//! use http::{Request, Response};
//! use http_body_util::{Empty, Full};
//! use bytes::Bytes;
//! use tower::{Layer, ServiceExt, service_fn};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! let provider = service_fn(|_| async {
//!     Err::<Response<Empty<Bytes>>, _>(io::Error::from(io::ErrorKind::ConnectionRefused))
//! });
//! let stack = CallLayer::new().layer(Leaf::new(provider));
//!
//! let request = Request::post("/v1/chat/completions")
//!     .header("content-type", "application/json")
//!     .body(Full::<Bytes>::from(r#"{"model":"gpt-4o","messages":[]}"#))
//!     .unwrap();
//! let answer = stack.oneshot(request).await.unwrap();
//! assert_eq!(answer.status(), 502);
//! let fault = answer.extensions().get::<Fault>().unwrap();
//! assert_eq!((fault.kind, fault.dispatched), (FaultKind::Connect, false));
//! # }
//! ```
//!
//! [`Fault`]: aigw_core::outcome::Fault
//! [`Infallible`]: std::convert::Infallible

mod body;
mod diagnose;
mod error;
mod future;
mod service;

pub use self::{
    body::ResponseBody, diagnose::diagnose, error::TransportError, future::ResponseFuture,
    service::Leaf,
};
