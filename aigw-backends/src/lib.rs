//! What stands between a gateway and its AI providers.
//!
//! Everything here is a plain [tower] layer or service over `http::Request` and `http::Response`,
//! usable alone. Put together, outermost first, they are the inner half of a gateway:
//!
//! ```text
//!  request ──► CallLayer        reads the call; all but `client` and `credentials` need it above
//!          ──► routing          which backend serves it; an unknown model ends here
//!              ┌─ per backend ─────────────────────────────────────────────────────────────────────┐
//!          ──► │ timeout        above the meter, because first token and silence are read from it  │
//!          ──► │ MeterLayer     reads the answer as the caller will see it                         │
//!          ──► │ transform      URL, deployment and headers as this backend wants them             │
//!          ──► │ credentials    last: nothing above sees the backend's key, and they may sign      │
//!          ──► │ leaf           turns whatever fails below into a 502 or 504 answer                │
//!          ──► │ client         connection, TLS, pool                                              │
//!              └───────────────────────────────────────────────────────────────────────────────────┘
//! ```
//!
//! [`leaf`] is always there; each of the others is a feature of the same name. `full` is all of
//! them but `client`, which brings hyper and rustls: any other `Service<http::Request<_>>` serves
//! as well.
//!
//! # Examples
//!
//! Two backends behind one service, the provider being one that obeys scripts:
//!
#![cfg_attr(feature = "full", doc = "```")]
#![cfg_attr(not(feature = "full"), doc = "```ignore")]
//! use std::time::Duration;
//!
//! use aigw_backends::{
//!     credentials::{Credentials, CredentialsLayer},
//!     leaf::Leaf,
//!     routing::{Router, Route, Table},
//!     timeout::{TimeoutLayer, Timeouts},
//!     transform::{TransformLayer, Upstream},
//! };
//! use aigw_core::{
//!     BoxError, call::CallLayer, dialect::Dialect, meter::MeterLayer, rt::Tokio,
//!     testing::Provider,
//! };
//! use bytes::Bytes;
//! use http::Request;
//! use http_body_util::Full;
//! use tower::{ServiceBuilder, ServiceExt};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), BoxError> {
//! // A client of your own, or this crate's, stands in its place.
//! let provider = Provider::new(Tokio);
//! let backend = |base: &str, dialect, key: &str| -> Result<_, BoxError> {
//!     Ok(ServiceBuilder::new()
//!         .layer(TimeoutLayer::try_new(Timeouts::default().idle(Duration::from_secs(30)), Tokio)?)
//!         .layer(MeterLayer::new())
//!         .layer(TransformLayer::new(Upstream::try_new(base.parse()?, dialect)?))
//!         .layer(CredentialsLayer::try_new(Credentials::ApiKey(key.into()), dialect)?)
//!         .service(Leaf::new(provider.clone())))
//! };
//! let east = backend("https://east.test", Dialect::OpenAi, "key-of-east")?;
//! let claude = backend("https://claude.test", Dialect::Anthropic, "key-of-claude")?;
//!
//! let table = Table::try_new([
//!     Route::to("east").model("gpt-*"),
//!     Route::to("claude").model("claude-*"),
//! ])?;
//! let router = Router::try_new(table, [("east", east), ("claude", claude)])?;
//! let gateway = ServiceBuilder::new().layer(CallLayer::new()).service(router);
//!
//! let body = Full::<Bytes>::from(r#"{"model":"gpt-4o","messages":[]}"#);
//! let request = Request::post("/v1/chat/completions").body(body)?;
//! assert_eq!(gateway.oneshot(request).await?.status(), 200);
//! assert_eq!(provider.calls()[0].headers["authorization"], "Bearer key-of-east");
//! # Ok(())
//! # }
//! ```
//!
//! [tower]: https://docs.rs/tower

#[cfg(feature = "client")]
pub mod client;
#[cfg(feature = "credentials")]
pub mod credentials;
pub mod leaf;
#[cfg(feature = "routing")]
pub mod routing;
#[cfg(feature = "timeout")]
pub mod timeout;
#[cfg(feature = "transform")]
pub mod transform;
#[cfg(all(feature = "serde", any(feature = "client", feature = "credentials")))]
mod unquoted;

pub use aigw_core;
