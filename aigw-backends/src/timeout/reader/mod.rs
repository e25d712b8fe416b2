//! Gives up on callers that take nothing of an answer.
//!
//! Over HTTP/1.1 a reader that does not read stalls its connection, and
//! [`WriteTimeout`](super::WriteTimeout) closes that. Over HTTP/2 it withholds the window of one
//! stream while the connection lives: the server does not poll the body, so no timer inside the
//! body can fire, and the provider's connection with every guard above it would be held for ever.
//! [`ReaderTimeoutLayer`] keeps the answer's body where a watchdog can reach it:
//!
//! ```text
//! server ──poll──► ReaderBody ──┐
//!                               ├──► answer ──► provider
//! runtime ──wakes──► watchdog ──┘ drops it when nobody has asked for its next frame in time
//! ```
//!
//! # Examples
//!
//! ```
//! use std::{convert::Infallible, time::Duration};
//!
//! use aigw_backends::timeout::ReaderTimeoutLayer;
//! use aigw_core::rt::Tokio;
//! use bytes::Bytes;
//! use http::{Request, Response, Version};
//! use http_body_util::{BodyExt, Full};
//! use tower::{ServiceBuilder, ServiceExt};
//!
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() {
//! let stack = ServiceBuilder::new()
//!     .layer(ReaderTimeoutLayer::new(Duration::from_secs(30), Tokio))
//!     .service_fn(async |_| Ok::<_, Infallible>(Response::new(Full::<Bytes>::from("hello"))));
//!
//! let request = Request::builder().version(Version::HTTP_2).body(()).unwrap();
//! let mut answer = stack.oneshot(request).await.unwrap();
//! tokio::time::sleep(Duration::from_secs(31)).await;
//! assert!(answer.body_mut().frame().await.unwrap().is_err());
//! # }
//! ```
//!
//! # Deployment
//!
//! Stands outermost, directly below the server. Each answer over HTTP/2 costs two allocations and
//! a task, which ends with the body; other answers pass as they are.

mod body;
mod future;
mod layer;
mod watchdog;

pub use self::{
    body::ReaderBody,
    future::ReaderFuture,
    layer::{ReaderTimeout, ReaderTimeoutLayer},
};
