//! Which backend serves a call.
//!
//! A [`Table`] of [`Route`]s is asked with what the call's head and model say; the first route that
//! matches decides, and a call that none matches is refused. [`Router`] is the service over several
//! backends; [`RouterLayer`] puts the same decision in front of one. [`Routed`] tells afterwards
//! which route it was.
//!
//! ```text
//!  call ──────┬ a route: backend [and alias] ──────► that backend, with `Routed` in the record
//!             │ a route: reply ────────────────────► our own answer
//!             │ no route, known path, wrong method ► 405 method_not_allowed, with `allow`
//!             │ no route for the operation at all ─► 400 operation_not_supported
//!             │ routes by model, and it names none ► 400 missing_required_parameter
//!             └ no route for the model ────────────► 404 model_not_found
//! ```
//!
//! An upload names the model in a field in front of its file, or in its path
//! ([why](aigw_core::call#what-is-read)). One that writes the file first names none: a route without
//! models takes it as it is, and without such a route the refusal says where the field belongs.
//!
//! WebSocket upgrades never come here: [`CallLayer`](aigw_core::call::CallLayer) refuses them.
//!
//! Names match as they are spelt, case included. A name with `*`, `?`, `[` or `{` in it is a glob,
//! and `*` crosses slashes, since models are called `meta-llama/Llama-3`. Within one route exact
//! names are looked at first; between routes only their order counts.
//!
//! # Examples
//!
//! ```
//! use aigw_backends::routing::{Decision, Route, Table};
//! use aigw_core::dialect::{Operation, Target};
//! use http::{HeaderMap, Method, Uri};
//!
//! let table = Table::try_new([
//!     Route::to("east").model("gpt-4o").operation(Operation::Chat),
//!     Route::to("west").model("gpt-4-turbo").alias("gpt-4o"),
//!     Route::to("west").model("text-embedding-3-*"),
//! ])?;
//!
//! let target = |uri| Target::recognize(&Method::POST, &Uri::from_static(uri), &HeaderMap::new());
//! let chat = target("/v1/chat/completions");
//! assert!(matches!(
//!     table.choose(&chat, Some("gpt-4-turbo")),
//!     Decision::Send { to: &"west", alias: Some("gpt-4o"), .. },
//! ));
//! assert_eq!(table.choose(&chat, Some("o3")), Decision::UnknownModel);
//! # Ok::<(), aigw_backends::routing::ConfigError>(())
//! ```

mod config;
mod future;
mod layer;
mod pattern;
mod route;
mod service;
mod table;

pub use self::{
    config::{Fallback, RouteConfig, RoutingConfig},
    future::ResponseFuture,
    layer::RouterLayer,
    route::{ConfigError, Reply, Route},
    service::{Routed, Router},
    table::{Decision, Table},
};
