//! Every public type can cross threads, be moved while pinned, and be printed.
#![cfg(feature = "full")]

use std::{convert::Infallible, fmt::Debug};

use aigw_core::{
    call::CallBody,
    rt::{NoTimer, Tokio},
};
use aigw_policies::{access, budget, concurrency_limit, drain, request_limit, token_limit, tokens};
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;

type Body = Full<Bytes>;
type Service = tower::util::ServiceFn<fn(Request<Body>) -> Answer>;
type Answer = std::future::Ready<Result<Response<Body>, Infallible>>;
type Inner = tower::util::ServiceFn<fn(Request<CallBody<Body>>) -> Answer>;

fn plain<T: Send + Sync + Unpin + Debug>() {}

#[test]
fn every_public_type_is_send_sync_unpin_and_debug() {
    plain::<access::Authenticate<()>>();
    plain::<access::AuthenticateLayer>();
    plain::<access::Config>();
    plain::<access::ConfigError>();
    plain::<access::ConsumerConfig>();
    plain::<access::ResponseFuture<Answer, Body>>();
    plain::<access::State>();
    plain::<budget::Align>();
    plain::<budget::Claim>();
    plain::<budget::Condition>();
    plain::<budget::Hold>();
    plain::<budget::Key>();
    plain::<budget::Left>();
    plain::<budget::Limit>();
    plain::<budget::LimitError>();
    plain::<budget::MemoryStore>();
    plain::<budget::Period>();
    plain::<budget::Quota>();
    plain::<budget::Rate>();
    plain::<budget::Refused>();
    plain::<budget::Reserving>();
    plain::<budget::Verdict>();
    plain::<concurrency_limit::Config>();
    plain::<concurrency_limit::ConfigError>();
    plain::<concurrency_limit::ConcurrencyLimit<(), Tokio>>();
    plain::<concurrency_limit::ConcurrencyLimitLayer<Tokio>>();
    plain::<concurrency_limit::Handle>();
    plain::<concurrency_limit::Levels>();
    plain::<concurrency_limit::ResponseBody<Body>>();
    plain::<concurrency_limit::ResponseFuture<Inner, CallBody<Body>, NoTimer>>();
    plain::<drain::Bounds>();
    plain::<drain::Drain<(), Tokio>>();
    plain::<drain::DrainLayer<Tokio>>();
    plain::<drain::ResponseBody<Body, Tokio>>();
    plain::<drain::ResponseFuture<Answer, Tokio, Body, Infallible>>();
    plain::<request_limit::Config>();
    plain::<request_limit::ConfigError>();
    plain::<request_limit::RequestLimit<(), budget::MemoryStore>>();
    plain::<request_limit::RequestLimitLayer>();
    plain::<request_limit::ResponseFuture<Service, Body, budget::MemoryStore>>();
    plain::<token_limit::Budget>();
    plain::<token_limit::ConfigError>();
    plain::<token_limit::consumed::Consumed<()>>();
    plain::<token_limit::consumed::ConsumedLayer>();
    plain::<budget::Headers>();
    plain::<token_limit::OnOpaque>();
    plain::<token_limit::Output>();
    plain::<token_limit::ResponseFuture<Service, Body, budget::MemoryStore>>();
    plain::<token_limit::Stopped>();
    plain::<token_limit::TokenLimit<(), budget::MemoryStore>>();
    plain::<token_limit::TokenLimitLayer<budget::MemoryStore>>();
    plain::<token_limit::WeightError>();
    plain::<token_limit::Price>();
    plain::<token_limit::Weights>();
    plain::<tokens::Accuracy>();
    plain::<tokens::Count>();
    plain::<tokens::Estimate>();
    plain::<tokens::Fast>();
    plain::<tokens::Off>();
    plain::<Box<dyn tokens::Estimator>>();
    #[cfg(feature = "tiktoken")]
    plain::<tokens::Exact>();
}

/// It is sent to another thread to be done, and never shared.
#[test]
fn work_is_send_and_debug() {
    fn sent<T: Send + Unpin + Debug>() {}
    sent::<tokens::Work>();
    sent::<tokens::Counting>();
}

#[cfg(feature = "redis")]
#[test]
fn so_is_every_public_type_of_the_redis_store() {
    use budget::redis::{Config, ConfigError, Driver, OnError, RedisStore, Reserving, Stats};

    plain::<Config>();
    plain::<ConfigError>();
    plain::<Driver>();
    plain::<OnError>();
    plain::<RedisStore<Tokio>>();
    plain::<Reserving<Tokio>>();
    plain::<Stats>();
}
