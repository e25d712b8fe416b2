//! A gateway of aigw's layers, assembled from a file.
//!
//! Nothing here decides anything about a call: [`config`] reads the file, [`stack`] puts the layers
//! on each other, [`limits`] holds what may be used, [`store`] keeps what is left of it, [`ledger`]
//! adds up what was used, [`admin`] shows it, and [`run`] listens.
//!
//! # Examples
//!
//! ```
//! use aigw_examples::gateway::Config;
//!
//! let config = Config::parse(r#"
//!     [[backend]]
//!     id = "local"
//!     url = "http://127.0.0.1:9000"
//!     dialect = "openai"
//!
//!     [[route]]
//!     model = ["gpt-*"]
//!     backends = ["local"]
//! "#)?;
//! config.check()?;
//!
//! let error = Config::parse("[server]\nlissten = \"127.0.0.1:80\"").unwrap_err();
//! assert!(error.to_string().starts_with("server.lissten: unknown field"), "{error}");
//! # Ok::<(), aigw_examples::gateway::Error>(())
//! ```

pub mod admin;
mod check;
pub mod config;
mod error;
pub mod ledger;
pub mod limits;
mod reach;
mod remarks;
pub mod run;
pub mod stack;
pub mod store;
mod values;

pub use self::{config::Config, error::Error};
