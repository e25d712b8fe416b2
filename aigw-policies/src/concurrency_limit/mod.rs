//! Admits so many calls at once, and lets others wait in a fair queue.
//!
//! For what is scarce while a call runs: a provider's slots, a consumer's share of them, memory.
//! What is scarce over time, such as tokens per minute, is another limit's to count.
//!
//! ```text
//!             ┌─ a place is free ─────────► provider ─► answer ─► its end, error or drop ─┐
//!  call ──► key ─ all are taken ─► queue ──────▲──────────────────────────────────────────┘
//!             │                      │      the place goes to the first in the queue
//!             └─ queue is full ─► 429 ◄┘ its time is over
//! ```
//!
//! A call holds its place until the *body* of its answer has ended, failed or been dropped, whichever
//! is first, or until the call itself fails or is dropped before there is an answer. In one process
//! there is no lease that could run out while an answer still streams, and none to be renewed.
//!
//! # Examples
//!
//! ```
//! use std::convert::Infallible;
//!
//! use aigw_core::{around, rt::NoTimer};
//! use aigw_policies::concurrency_limit::{ConcurrencyLimitLayer, Config};
//! use http::{Request, Response};
//! use http_body_util::BodyExt;
//! use tower::{Layer, ServiceExt, service_fn};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
//! // One call at a time, whoever calls. Of each consumer: `[Dimension::Consumer]`.
//! let limit = ConcurrencyLimitLayer::try_new(Config::new([], 1), NoTimer)?;
//! let handle = limit.handle();
//! let service = around(limit).layer(service_fn(async |_| {
//!     Ok::<_, Infallible>(Response::new(String::from("an answer")))
//! }));
//! let ask = || {
//!     let body = r#"{"model":"m","messages":[]}"#.to_owned();
//!     service.clone().oneshot(Request::post("/v1/chat/completions").body(body).unwrap())
//! };
//!
//! let answer = ask().await?;
//! assert_eq!(handle.levels().in_flight, 1);
//! assert_eq!(ask().await?.status(), 429);
//! answer.into_body().collect().await?; // The body ends, and with it the call.
//! assert_eq!(ask().await?.status(), 200);
//! # Ok(())
//! # }
//! ```
//!
//! With a queue, and a class of calls that gives way:
//!
//! ```
//! use std::time::Duration;
//!
//! use aigw_core::{key::Dimension, rt::Tokio};
//! use aigw_policies::{
//!     budget::Condition,
//!     concurrency_limit::{ConcurrencyLimitLayer, Config},
//! };
//!
//! let background = Condition::value("header:x-priority".parse()?, "low");
//! let config = Config::new([Dimension::Consumer], 64)
//!     .queue(32, Duration::from_secs(2))
//!     .low(background, 8); // Enters while more than 8 places are free.
//! let limit = ConcurrencyLimitLayer::try_new(config, Tokio)?;
//! # let _ = limit;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Order
//!
//! Calls of one key enter in the order in which they came; those that do not
//! [give way](Config::low) before those that do. Nobody overtakes within a class, and whoever comes
//! while others wait stands behind them. A call that gives way may wait for as long as others keep
//! coming: its deadline ends that. Keys know nothing of each other.
//!
//! # Refusals
//!
//! A 429 of [`Reason::RateLimit`](aigw_core::reject::Reason::RateLimit) that names the limit, by
//! its [name](Config::name) or its key. It has no `retry-after`: a place comes free when an answer
//! ends, and nobody knows when that is; a made-up wait would send all who were refused back at the
//! same moment. For the same reason it has no `x-should-retry`, and the caller's SDK retries after
//! a backoff of its own.
//!
//! # Several limits
//!
//! A layer holds one. Stack several, the narrow one outside: a call that waits for one of all places
//! holds one of its consumer, as it should. The other way round, the calls of one busy consumer
//! would wait with places that others could use.
//!
//! # Cardinality
//!
//! A key takes memory while a call of it is under way or waits, and none after. Made-up keys cost
//! nothing; whoever keys by what a caller can choose lets him choose his limit.
//!
//! # Deployment
//!
//! Places are those of a layer, its clones and the services that they make, in one process: n
//! replicas admit n times as many. With feature `redis`, `ConcurrencyLimitLayer::with_store` limits the
//! calls of all processes together: a place is a lease in Redis as well, renewed for as long as the
//! process lives, so that one that dies leaves nothing behind for longer than fifteen seconds. The
//! queue, and what a [`Handle`] shows, are then those of one process. An answer that nobody reads
//! holds its place for as long as it is kept; a server must give up on readers that do not read.

mod body;
mod config;
mod future;
mod gate;
mod handle;
mod layer;
mod lease;
mod limit;
mod places;
mod service;
#[cfg(test)]
mod tests;
mod wait;

#[cfg(feature = "redis")]
pub(crate) use self::lease::{Lease, Leased, Leasing, Lessor};
pub use self::{
    body::ResponseBody,
    config::{Config, ConfigError},
    future::ResponseFuture,
    handle::{Handle, Levels},
    layer::ConcurrencyLimitLayer,
    service::ConcurrencyLimit,
};
