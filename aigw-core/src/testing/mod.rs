//! What policies are tested with: a scripted [provider], and [contract] suites that every policy
//! must pass.
//!
//! Behind the feature `test-util`.
//!
//! # Examples
//!
//! ```
//! use aigw_core::{
//!     rt::Tokio,
//!     testing::{Provider, provider::Config},
//! };
//!
//! let config = Config::default().id("ptu").tokens_per_minute(20_000);
//! let provider = Provider::with_config(config, Tokio);
//! assert_eq!(provider.in_flight(), 0);
//! ```

pub mod contract;
pub mod provider;

pub use self::provider::Provider;
