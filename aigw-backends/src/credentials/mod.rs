//! Whose key a backend sees.
//!
//! Stands right above the [leaf](crate::leaf), below whatever looks at requests, so that nothing
//! else sees the backend's key. What a caller shows the gateway is taken off every request unless
//! the backend's setting is [`Credentials::PassThrough`]: the headers `authorization`, `api-key`,
//! `x-api-key`, `x-goog-api-key`, `ocp-apim-subscription-key` and `cookie`, and the query's
//! `api-key`, `key`, `subscription-key` and `access_token`, however they are cased or escaped. A
//! gateway that takes keys by other names adds them ([`CredentialsLayer::hide_header`],
//! [`CredentialsLayer::hide_query`]).
//!
//! | dialect | where an API key goes |
//! |---|---|
//! | OpenAI | `authorization: Bearer` |
//! | Azure OpenAI, Azure AI | `api-key` |
//! | Anthropic | `x-api-key` |
//! | Gemini | `x-goog-api-key` |
//!
//! # Examples
//!
//! ```
//! use std::convert::Infallible;
//!
//! use aigw_backends::credentials::{Credentials, CredentialsLayer};
//! use aigw_core::dialect::Dialect;
//! use http::{Request, Response};
//! use tower::{Layer, ServiceExt, service_fn};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! let backend = service_fn(|request: Request<()>| async move {
//!     assert_eq!(request.headers()["api-key"], "of-the-backend");
//!     assert!(!request.headers().contains_key("authorization"));
//!     assert_eq!(request.uri(), "/chat?a=b");
//!     Ok::<_, Infallible>(Response::new(()))
//! });
//! let credentials = Credentials::ApiKey("of-the-backend".into());
//! let layer = CredentialsLayer::try_new(credentials, Dialect::AzureOpenAi).unwrap();
//! let stack = layer.layer(backend);
//!
//! let request = Request::get("/chat?key=of-the-caller&a=b")
//!     .header("authorization", "Bearer of-the-caller")
//!     .body(())
//!     .unwrap();
//! stack.oneshot(request).await.unwrap();
//! # }
//! ```

mod config;
mod layer;
mod service;

pub use self::{
    config::{ConfigError, Credentials, Secret},
    layer::CredentialsLayer,
    service::CredentialsService,
};
