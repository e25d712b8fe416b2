//! What holds for every policy, written once: suites to run on a policy's body and service.
//!
//! | suite | runs on | checks |
//! |---|---|---|
//! | [`body::check`] | a body around another | bytes, trailers, errors pass; hints are true |
//! | [`drops::at_every_poll`] | a future and its body | what the caller checks, after each drop |
//! | [`service::forwards_readiness`] | a service around another | readiness is the inner one's |
//! | [`service::calls_what_is_ready`] | any such service | no inner service is called unready |
//!
//! A broken contract is a panic that says which, as an assertion is.
//!
//! # Examples
//!
//! ```
//! use aigw_core::testing::contract;
//!
//! // A body that does nothing passes; a policy's own goes in place of `boxed`.
//! contract::body::check(|inner| http_body_util::BodyExt::boxed_unsync(inner));
//! ```

pub mod body;
pub mod drops;
pub mod service;
