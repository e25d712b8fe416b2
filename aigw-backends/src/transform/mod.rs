//! The caller's URL and headers as a backend wants them.
//!
//! Stands below the meter and above the credentials, once per backend. What it changes:
//!
//! - **The URL.** Scheme, host and path prefix are the backend's; what is asked stays. OpenAI,
//!   Azure OpenAI and Azure AI inference share one set of bodies, so their paths are mapped to one
//!   another, with deployment and `api-version`; Anthropic and Gemini are asked in their own words
//!   only. See [`rewrite()`].
//! - **The model.** The caller's model becomes the backend's deployment, in the path where the
//!   backend reads it there, else in the body, by [`Edit::Model`](aigw_core::call::Edit::Model).
//! - **The headers.** What belongs to one connection is removed from request and answer (RFC 9110,
//!   section 7.6.1), `host`, `expect` and headers that override the method as well;
//!   `content-length` follows the body; `accept-encoding` becomes `identity`, so that the answer
//!   can be read; the version becomes HTTP/1.1, and the client may still speak HTTP/2. Of the
//!   answer, `alt-svc`, `set-cookie` and `strict-transport-security` are removed: they speak of the
//!   provider's host, and would be taken to speak of the gateway's.
//!
//! A call that this backend has no words for is refused with 400 `operation_not_supported`.
//!
//! # Examples
//!
//! ```
//! use aigw_backends::transform::{Upstream, rewrite};
//! use aigw_core::dialect::{Dialect, Target};
//! use http::{HeaderMap, Method, Uri};
//!
//! let base = "https://eus.openai.azure.com".parse().unwrap();
//! let upstream = Upstream::try_new(base, Dialect::AzureOpenAi)?
//!     .deployment("gpt-4o", "gpt4o-prod-eus")
//!     .api_version("2024-10-21");
//!
//! let asked = Uri::from_static("/v1/chat/completions?trace=1");
//! let target = Target::recognize(&Method::POST, &asked, &HeaderMap::new());
//! let sent = rewrite(&target, Some("gpt-4o"), &asked, &upstream).unwrap();
//! assert_eq!(
//!     sent.uri,
//!     "https://eus.openai.azure.com/openai/deployments/gpt4o-prod-eus/chat/completions\
//!      ?trace=1&api-version=2024-10-21",
//! );
//! # Ok::<(), aigw_backends::transform::ConfigError>(())
//! ```

mod future;
mod headers;
mod layer;
mod rewrite;
mod service;
mod upstream;

pub use self::{
    future::ResponseFuture,
    layer::TransformLayer,
    rewrite::{Rewrite, RewriteError, rewrite},
    service::Transform,
    upstream::{ConfigError, Upstream},
};
