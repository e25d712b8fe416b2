//! How many tokens the prompt of a call has: estimated, counted, or left to the answer.
//!
//! A limit on tokens has to be decided before the answer says what was used. An [`Estimator`] says
//! what to expect:
//!
//! ```text
//!  call ──► estimate ──► at least · expected · at most        one pass, no tokenizer
//!               │
//!               └─ undecided? ──► count ──► at once, or work for elsewhere      tiktoken
//!                                                                │
//!  answer ──► settle ◄── what the provider counted ──────────────┘ else the estimate stands
//! ```
//!
//! | estimator | expects | counts |
//! |---|---|---|
//! | [`Off`] | nothing: the answer settles all | never |
//! | [`Fast`] | what it has learnt of the model, from what providers counted | never |
//! | `Exact` (feature `tiktoken`) | as `Fast` | by the model's own vocabulary, where it is public |
//!
//! Counting costs many times what a whole gateway does, so it is asked for only where it can change
//! what is decided: [`Estimate::at_least`] and [`Estimate::at_most`] bound every count. What is long
//! comes back as [`Work`] for another thread.
//!
//! # Examples
//!
//! ```
//! use std::sync::Arc;
//!
//! use aigw_core::{call::{Call, Record}, dialect::Target};
//! use aigw_policies::tokens::{Estimator, Fast};
//! use http::{HeaderMap, Method, Uri};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let path = Uri::from_static("/v1/chat/completions");
//! let target = Target::recognize(&Method::POST, &path, &HeaderMap::new());
//! let body = r#"{"model": "claude-x", "messages": [{"role": "user", "content": "Good morning!"}]}"#;
//! let call = Call::parse(target, body.into(), Arc::new(Record::default()))
//!     .map_err(|_| "no call")?;
//!
//! let fast = Fast::new();
//! let before = fast.estimate(&call);
//! assert!(before.at_least() <= before.tokens() && before.tokens() <= before.at_most());
//!
//! // Its provider counts more than was thought, and is believed after a few answers.
//! for _ in 0..20 {
//!     fast.settle(&call, &fast.estimate(&call), 19);
//! }
//! assert!(fast.estimate(&call).ratio(19).is_some_and(|ratio| (0.9..1.1).contains(&ratio)));
//! # Ok(())
//! # }
//! ```
//!
//! # Accuracy
//!
//! Texts are read as the dialect has them: messages, system instructions, tools and their schemas,
//! the form of the answer, the input of embeddings; numbers in its place are tokens. Images count by
//! their size and the published rules of OpenAI, Anthropic and Gemini, sounds by their length: 10
//! tokens a second, 32 for Gemini. What is not in the request has the size that such things
//! usually have, and the count of it says that this was [assumed](Basis::Assumed): 1024 × 1024 for an
//! image behind a URL, ten seconds for a sound of a form that does not tell, 50 kB to a page of a
//! document. Nothing is known of a stored response that is continued, nor of what a provider adds of
//! its own, which [`Fast`] learns.
//!
//! # Deployment
//!
//! All that is learnt and remembered is of one process, and holds no prompt.

mod count;
mod estimate;
mod estimator;
#[cfg(feature = "tiktoken")]
mod exact;
mod fast;
mod prompt;

#[cfg(feature = "tiktoken")]
pub use self::exact::Exact;
pub use self::{
    count::{Basis, Count, Counting, Work},
    estimate::Estimate,
    estimator::{Estimator, Off},
    fast::{Accuracy, Fast},
};
