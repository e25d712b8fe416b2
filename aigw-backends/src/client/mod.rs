//! Reaches providers over HTTP/1.1 and HTTP/2, with TLS, kept connections and an outbound proxy.
//!
//! [`Client`] is a cheap clone around one pool of connections; give each backend its own when their
//! certificates or deadlines differ, else share one. Its errors carry a
//! [`Fault`](aigw_core::outcome::Fault), so [`Leaf::new`](crate::leaf::Leaf::new) is all that it
//! takes to make it the leaf of a stack.
//!
//! # Examples
//!
//! ```
//! use std::time::Duration;
//!
//! use aigw_backends::client::{Client, Config, Proxy, Tls};
//! use http_body_util::Full;
//! use bytes::Bytes;
//!
//! let config = Config::default()
//!     .connect_timeout(Duration::from_secs(2))
//!     .proxy(Proxy::new("http://proxy.internal:3128".parse().unwrap()));
//! let client: Client<Full<Bytes>> = Client::try_new(config)?;
//!
//! let nonsense = Config::default().tls(Tls::default().ca("not a certificate"));
//! assert!(Client::<Full<Bytes>>::try_new(nonsense).is_err());
//! # Ok::<(), aigw_backends::client::ConfigError>(())
//! ```
//!
//! # Cancel safety
//!
//! Dropping the future or the body of an answer cancels the call at the provider: over HTTP/1.1 the
//! connection is closed, over HTTP/2 the stream is reset and the connection stays.
//!
//! # Memory
//!
//! A body that nobody reads stops the provider: at most 64 KiB wait in an HTTP/1.1 connection, and
//! 256 KiB in an HTTP/2 stream.
//!
//! # Deployment
//!
//! Connections are made and driven on the tokio runtime that polls the caller; each is a task that
//! ends with its connection.
//!
//! Over HTTP/2 all calls of a client to a host share one connection, and those beyond the number of
//! streams that the host allows at once wait for one of them to end. Where that is fewer than the
//! calls that are open, several clients help.
//!
//! # Dependencies
//!
//! rustls with *ring*, because a C compiler is all that it takes to build, and Mozilla's roots
//! compiled in (`webpki-roots`), because then a container without certificate files
//! behaves as every other host does. A private CA is named in [`Tls`].

mod config;
mod connect;
mod diagnose;
mod dial;
mod error;
mod service;
mod tls;

pub use self::{
    config::{Config, Protocol, Proxy, Tls},
    error::ConfigError,
    service::{Client, ResponseBody, ResponseFuture},
};
