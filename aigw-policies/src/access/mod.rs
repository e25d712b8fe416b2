//! Tells callers by their keys, and refuses the others before their bodies are read.
//!
//! A caller whose key is held by a consumer becomes that
//! [`Consumer`](aigw_core::key::Consumer), id and labels, in the call's
//! [`Record`](aigw_core::call::Record), where limits, metrics and logs further in find it. Any other
//! is answered in its own dialect, from the head of the request alone. So this layer stands outside
//! [`CallLayer`](aigw_core::call::CallLayer), inside whatever reports calls, and inside CORS, whose
//! questions carry no key:
//!
//! ```text
//!                      ┌ key held ──► consumer in the record, key off the request ──► call …
//! request ──► head ────┼ no key ────► 401, or the consumer `anonymous` where no key is required
//!                      ├ wrong key ─► 401
//!                      └ suspended ─► 403, with the consumer in the record
//! ```
//!
//! # Examples
//!
//! ```
//! use std::convert::Infallible;
//!
//! use aigw_core::{call::Record, key::Consumer};
//! use aigw_policies::access::{AuthenticateLayer, Config, ConsumerConfig};
//! use http::{Request, Response};
//! use tower::{Layer, ServiceExt, service_fn};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let config = Config::default()
//!     .consumer(ConsumerConfig::new("team-a").key("sk-team-a").label("tier", "gold"));
//! let gateway = AuthenticateLayer::try_new(config)?.layer(service_fn(
//!     async |mut request: Request<()>| {
//!         let consumer = Record::of(request.extensions_mut()).latest::<Consumer>().unwrap();
//!         assert_eq!((&*consumer.id, &*consumer.labels["tier"]), ("team-a", "gold"));
//!         assert!(!request.headers().contains_key("authorization"));
//!         Ok::<_, Infallible>(Response::new(String::from("hello")))
//!     },
//! ));
//!
//! let call = |key: &str| {
//!     let request = Request::post("/v1/chat/completions").header("authorization", key);
//!     gateway.clone().oneshot(request.body(()).unwrap())
//! };
//! assert_eq!(call("Bearer sk-team-a").await?.status(), 200);
//! assert_eq!(call("Bearer sk-team-b").await?.status(), 401);
//! # Ok(())
//! # }
//! ```
//!
//! # A login of one's own
//!
//! Whoever knows the caller by other means, a session or a token, states the consumer in place of
//! this layer; all that is by `consumer` or `label:NAME` goes by it.
//!
//! ```
//! use aigw_core::{call::Record, key::Consumer};
//! use http::Request;
//!
//! // In a layer outside `CallLayer`:
//! fn known<B>(request: &mut Request<B>, user: &str, department: &str) {
//!     let consumer = Consumer::new(user).label("department", department);
//!     Record::of(request.extensions_mut()).state(consumer);
//! }
//! # known(&mut Request::new(()), "ann", "sales");
//! ```
//!
//! # Where keys are looked for
//!
//! In the headers of [`Config::key_headers`], then in the query's [`Config::key_query`]; of several
//! keys the first that somebody holds decides. `authorization` counts where its scheme is `Bearer`,
//! in upper or lower case; every other header holds the key alone. Empty values count as none. A
//! name in the query is read in any case and through percent-escapes, and so is the value.
//!
//! # What becomes of a key
//!
//! It goes no further. Whatever header or parameter held a key of a consumer is taken off the
//! request, so that neither a log, a cache nor a backend sees it; of `x-goog-api-key` the name
//! stays, empty, because paths that are alike are Google's where it stands. Other credentials pass:
//! a leaf that passes on the caller's own, in place of the gateway's key for the backend, passes on
//! those that are not of this gateway, and a caller whose only key is the gateway's then has none.
//!
//! # What is kept of a key
//!
//! Its SHA-256, from the moment at which a setting is made or read; what is sent is hashed as well,
//! looked up by its digest, and compared in constant time. So whoever sees these settings, printed or
//! in a dump of memory, has no key to call with, and nobody learns a key by timing answers. It does
//! not protect what a key was read from, nor requests under way. The digest is neither salted nor
//! slow, since every call takes one: whoever has it can try out guesses, so keys must be long and
//! random, never passwords.
//!
//! # Cost
//!
//! One hash for each key that a request shows, mostly one; no lock but the record's, and no
//! allocation but a place in the record, unless the key stands in the query.
//!
//! The body of a refused call is dropped unread. If much of it is still to come, a server of HTTP/1
//! then closes the connection, and a client that looks for no answer while it sends may see only that.
//!
//! # Deployment
//!
//! Nothing is shared: every replica is given the same settings. Settings are fixed once they are
//! made; a key is rotated by giving its consumer two until every caller has the next.

mod config;
mod error;
mod key;
mod keys;
mod layer;
mod places;
mod service;

pub use aigw_core::reject::ResponseFuture;

pub use self::{
    config::{Config, ConsumerConfig, State},
    error::ConfigError,
    layer::AuthenticateLayer,
    service::Authenticate,
};
