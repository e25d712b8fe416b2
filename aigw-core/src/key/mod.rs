//! What limits, caches and metrics tell calls apart by.
//!
//! A [`Dimension`] is one such property. Its text form is the one vocabulary of configuration:
//!
//! | text | value |
//! |---|---|
//! | `consumer` | the id of the [`Consumer`] |
//! | `user` | the end user whom the request names |
//! | `model` | the model that is asked, not the one that is sent on |
//! | `operation` | the [`Operation`](crate::dialect::Operation) |
//! | `ip` | the [`ClientAddr`], which your server must state |
//! | `header:NAME` | the first value of a request header |
//! | `label:NAME` | a label of the consumer |
//!
//! Consumer and address are facts of the call's [`Record`](crate::call::Record), stated by the
//! layers that learn them; the types are here because the vocabulary names them. What is not known
//! is `None`, and whoever keys by it decides what that means: one shared bucket, no bucket, an
//! `other` in a metric.
//!
//! # Examples
//!
//! ```
//! use aigw_core::key::Dimension;
//!
//! let dimension: Dimension = "header:X-Team".parse()?;
//! assert_eq!(dimension.to_string(), "header:x-team");
//!
//! let error = "customer".parse::<Dimension>().unwrap_err();
//! assert!(error.to_string().contains("`customer`"));
//! # Ok::<(), aigw_core::key::ParseError>(())
//! ```

mod dimension;
mod facts;
#[cfg(feature = "serde")]
mod serde;
#[cfg(test)]
mod tests;

pub use self::{
    dimension::{Dimension, ParseError},
    facts::{ClientAddr, Consumer},
};
