//! Admits so many requests in a time.
//!
//! A [`Rate`](crate::budget::Rate) lets requests through as they come, up to a burst of all of it,
//! and then one after the other; a [`Quota`](crate::budget::Quota) gives out so many in each period.
//! What a request costs in tokens is not looked at: that is
//! another limit's to count.
//!
//! ```text
//!             ┌─ one fits now ──► inner service ──► answer, and what is left
//!  call ──► key
//!             └─ not yet ───────► 429, with the exact time until one fits
//! ```
//!
//! It stands inside [`CallLayer`](aigw_core::call::CallLayer) and outside whatever costs more than
//! to refuse.
//!
//! # Examples
//!
//! ```
//! use std::{convert::Infallible, time::Duration};
//!
//! use aigw_policies::{
//!     aigw_core::around,
//!     budget::Rate,
//!     request_limit::{Config, RequestLimitLayer},
//! };
//! use http::{Request, Response};
//! use tower::{Layer, ServiceExt, service_fn};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
//! // Two a minute of all who call together. Of each consumer: `[Dimension::Consumer]`.
//! let rate = Rate::try_new(2, Duration::from_secs(60))?;
//! let limit = RequestLimitLayer::try_new(Config::new([], rate))?;
//! // `around` brackets it with a call and a meter, for want of a stack that has them.
//! let service = around(limit).layer(service_fn(async |_| {
//!     Ok::<_, Infallible>(Response::new(String::from("an answer")))
//! }));
//! let ask = || {
//!     let body = r#"{"model":"m","messages":[]}"#.to_owned();
//!     service.clone().oneshot(Request::post("/v1/chat/completions").body(body).unwrap())
//! };
//!
//! let first = ask().await?;
//! assert_eq!(first.headers()["x-ratelimit-remaining-requests"], "1");
//! ask().await?;
//! let third = ask().await?;
//! assert_eq!(third.status(), 429);
//! assert_eq!(third.headers()["retry-after"], "30");
//! # Ok(())
//! # }
//! ```
//!
//! # Accuracy
//!
//! A request counts when it is let in, and is not given back whatever becomes of it; one that is
//! refused does not count. In any span of time no more are let in than the burst and what has
//! flowed in since.
//!
//! A rate in memory is decided by governor's algorithm, in whole nanoseconds: where the time is no
//! multiple of the amount, a request waits up to a nanosecond longer than it would have to. All else,
//! and rates on a shared store, are decided as budgets are, and come to the same verdicts.
//!
//! # Several limits
//!
//! A layer holds one. Who is refused by an inner one has been counted by those outside it: put that
//! which refuses most outside. Of those that tell under the same headers, the one that has the least
//! left does, and on a refusal the one that refuses.
//!
//! # Deployment
//!
//! [In memory](RequestLimitLayer::try_new) levels are those of a layer, its clones and the services
//! that they make, in one process. [On a store](RequestLimitLayer::with_store) they are the store's,
//! by the limit's name and key: the `RedisStore` of feature `redis` lets any number of processes
//! share them. Keys are bounded as those of a [`MemoryStore`](crate::budget::MemoryStore) are.

mod config;
mod future;
mod gcra;
mod handle;
mod layer;
mod limiter;
mod rule;
mod service;
#[cfg(test)]
mod tests;

pub use self::{
    config::{Config, ConfigError},
    future::ResponseFuture,
    handle::Handle,
    layer::RequestLimitLayer,
    service::RequestLimit,
};
