//! Admits calls while every budget that holds for them has tokens left.
//!
//! A budget says whose tokens, when, and how many: a [`Rate`](crate::budget::Rate) or a
//! [`Quota`](crate::budget::Quota). It may count calls, or money by [`Prices`], in their place. Before
//! a call goes on, what it is expected to use is *reserved* in all its budgets at once, or in none;
//! when its answer is over it is *settled* with what was used. So what is admitted never exceeds a
//! limit, however many calls come at once, and what was expected too much is there for others again.
//!
//! ```text
//! request ──► prompt estimated + output expected
//!         ──► reserve in every budget ── not yet ──► 429, with the exact time until it fits
//!                   │                 └─ never ────► 400, a retry cannot help
//!                   ▼
//!              what is held ──► inner service ──► answer ──► its meter
//!                                                              │ end, failure or drop
//!                                                              └─► settled, exactly once
//! ```
//!
//! It stands inside [`CallLayer`](aigw_core::call::CallLayer), inside caches, and outside retries
//! and balancers: a hit costs no tokens, and a call that is tried three times is one call.
//!
//! # Examples
//!
//! ```
//! use std::time::Duration;
//!
//! use aigw_policies::{
//!     aigw_core::around,
//!     budget::{MemoryStore, Rate},
//!     token_limit::{Budget, OnOpaque, Output, TokenLimitLayer},
//! };
//! use http::{Request, Response};
//! use http_body_util::BodyExt;
//! use tower::{Layer, ServiceExt, service_fn};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
//! let budget = Budget::new("team", Rate::try_new(1000, Duration::from_secs(60))?);
//! let limit = TokenLimitLayer::try_new([budget], MemoryStore::new(), OnOpaque::Pass)?
//!     .output(Output::Tokens(600));
//! // `around` brackets it with a call and a meter, for want of a stack that has them.
//! let service = around(limit).layer(service_fn(async |_| {
//!     let answer = r#"{"usage":{"prompt_tokens":300,"completion_tokens":200}}"#;
//!     Response::builder().header("content-type", "application/json").body(answer.to_owned())
//! }));
//!
//! let ask = || {
//!     let body = r#"{"model":"gpt-4o","messages":[]}"#.to_owned();
//!     service.clone().oneshot(Request::post("/v1/chat/completions").body(body).unwrap())
//! };
//! let first = ask().await?;
//! assert_eq!(first.headers()["x-ratelimit-remaining-tokens"], "400");
//! first.into_body().collect().await?; // 500 used: 100 of the 600 that were held come back.
//!
//! let second = ask().await?;
//! assert_eq!(second.status(), 429);
//! assert_eq!(second.headers()["retry-after"], "6");
//! # Ok(())
//! # }
//! ```
//!
//! # Accuracy
//!
//! A prompt holds nothing before its answer unless an [estimator](TokenLimitLayer::estimator) is
//! given. [`Fast`](crate::tokens::Fast) estimates it in one pass, and `Exact` (feature `tiktoken`)
//! counts it as well, only where the difference decides: far from a limit nobody pays for a count.
//!
//! What is used and not reserved is a debt, which the budget makes up for before it admits again; a
//! quota's ends with its period. So the last answer of a period may use more than was left of a
//! quota, for no [guess](Output) keeps a call out until the next. With [`Output::ClientCap`] and
//! callers who state one, the answer is never longer than what was reserved for it, and with
//! [`stop_streams`](TokenLimitLayer::stop_streams) a stream ends with what is left.
//!
//! # Streams without a budget
//!
//! With [`stop_streams`](TokenLimitLayer::stop_streams), an event stream that has written all that was
//! held for it is ended once a budget has no room for another token: tokens of output as they are
//! counted while it runs, four bytes each. Without it, which is the default, the stream runs on into
//! debt.
//!
//! The caller sees an answer that has reached its greatest length: the last event passes whole, then
//! [the vendor's events](aigw_core::truncate) for a finish by `length`, `max_tokens` and their like,
//! and the body ends in order. The provider's body is dropped there and then, and the call is
//! charged with what had come. The record [tells](Stopped) for which budget, and the body's
//! [`Ending`](aigw_core::meter::Ending) is `Cut("token_limit")`.
//!
//! A store in memory knows what others have used meanwhile. `RedisStore` is not asked in the middle
//! of a stream: there, what was left when the call was admitted counts, without what the call has
//! taken since.
//!
//! It costs another reading of each event, and near the limit the store is asked for each of the last
//! 32 tokens. No length is announced of a stream that may be ended.
//!
//! Left alone are documents in one piece, Gemini's JSON array among them, encoded streams, those of
//! images and sounds, and every stream that has said by itself why it ends.
//!
//! # Operation
//!
//! A [`Handle`] shows what is left of budgets and changes their limits. What a call was charged is
//! [stated](Charged) in its record, and what it has used [in a header](consumed), if that is asked
//! for. A budget by model is that of the model that is asked, or [of the one that
//! answers](Budget::by_served_model). Where a budget stands for an account at a provider, it may
//! [follow](Budget::follows_provider) what the provider says of it; a limiter within, which writes
//! the same headers, would be taken for the provider.
//!
//! # Deployment
//!
//! As the store's: [`MemoryStore`](crate::budget::MemoryStore) limits one process, and the
//! `RedisStore` of feature `redis` any number that share a server.

mod asking;
mod body;
mod budget;
mod budgets;
mod charged;
#[cfg(feature = "serde")]
mod config;
pub mod consumed;
mod elsewhere;
mod error;
mod follow;
mod future;
mod guard;
mod handle;
mod layer;
mod learned;
mod limiter;
mod opaque;
mod output;
mod price;
mod prices;
mod served;
mod service;
mod settlement;
mod stopped;
mod stopper;
mod unit;
mod weights;

#[cfg(feature = "serde")]
pub use self::config::{
    BudgetConfig, Config, EstimatorConfig, HeaderNames, PricesConfig, WhichModel,
};
pub use self::{
    body::ResponseBody,
    budget::Budget,
    charged::{Charge, Charged},
    error::ConfigError,
    future::ResponseFuture,
    handle::{Handle, HandleError},
    layer::TokenLimitLayer,
    opaque::OnOpaque,
    output::Output,
    price::{Price, PriceError},
    prices::Prices,
    service::TokenLimit,
    stopped::Stopped,
    unit::Unit,
    weights::{WeightError, Weights},
};
