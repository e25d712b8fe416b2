//! Reads an answer to its end when its caller has hung up, so that what it used is known exactly.
//!
//! Without this layer a hang-up cancels the call at the provider, and what is known of its usage is
//! what had been seen until then: cheap, and right for most. But a provider that was cancelled
//! still charges for what it had made, and states the figure only in an end that nobody reads.
//! Where the exact figure matters more than the tokens that are made for nobody, stand this layer
//! outermost:
//!
//! ```text
//!  server ──► drain ──► limits, log, meter … ──► provider
//!    │          │
//!    ✗ hang-up  └─► a task reads on, within bounds ──► the layers below see a complete answer
//! ```
//!
//! Dropping the answer's future or body does not drop what is below, but moves it into a task,
//! which reads on until the answer ends or a bound of [`Bounds`] is reached; then it is dropped,
//! and the call cancelled after all. The layers below cannot tell the task from a caller: their
//! meters, reservations and logs settle as for any answer. A layer *above* this one sees what its
//! caller did: a dropped answer.
//!
//! # Examples
//!
//! ```
//! use std::{convert::Infallible, time::Duration};
//!
//! use aigw_core::rt::Tokio;
//! use aigw_policies::drain::{Bounds, DrainLayer};
//! use bytes::Bytes;
//! use http::{Request, Response};
//! use http_body_util::{BodyExt, Full};
//! use tokio::sync::mpsc::unbounded_channel;
//! use tower::{Layer, ServiceExt, service_fn};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! let (read, mut reading) = unbounded_channel();
//! let bounds = Bounds::new(Duration::from_secs(60), 4 << 20).concurrent(100);
//! let stack = DrainLayer::new(bounds, Tokio).layer(service_fn(move |_: Request<()>| {
//!     let read = read.clone();
//!     let body = Full::<Bytes>::from("everything").map_frame(move |frame| {
//!         let _ = read.send(frame.data_ref().cloned());
//!         frame
//!     });
//!     async { Ok::<_, Infallible>(Response::new(body)) }
//! }));
//!
//! let answer = stack.oneshot(Request::new(())).await.unwrap();
//! drop(answer); // The caller hangs up, and a task reads on.
//! assert_eq!(reading.recv().await.unwrap().unwrap(), "everything");
//! // The task has dropped the body, and with it the last who could send.
//! assert!(reading.recv().await.is_none());
//! # }
//! ```
//!
//! # Cost
//!
//! One allocation each for future and body, since what may move into a task must be movable.
//! Nothing is spawned for an answer that is read to its end.
//!
//! # Deployment
//!
//! Bounds hold per layer and its clones, in one process. Answers that are being drained hold their
//! provider's connection, and a caller that hangs up and asks again has two calls running: bound
//! them.

mod body;
mod bounds;
mod future;
mod layer;
mod rest;
mod service;

pub use self::{
    body::ResponseBody, bounds::Bounds, future::ResponseFuture, layer::DrainLayer, service::Drain,
};
