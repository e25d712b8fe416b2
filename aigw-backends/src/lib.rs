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

pub use aigw_core;
