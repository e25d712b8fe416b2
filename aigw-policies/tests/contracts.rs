//! The house's contract suites, run on every policy.

#![cfg(feature = "full")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail loudly")]

use std::{
    convert::Infallible,
    future::ready,
    pin::pin,
    task::{Context, Poll, Waker},
    time::Duration,
};

use aigw_core::{
    call::{CallBody, CallLayer},
    rt::{NoTimer, Tokio},
    testing::{
        Provider,
        contract::{body, drops, service},
        provider::Config,
    },
};
use aigw_policies::{
    access::{self, AuthenticateLayer, ConsumerConfig},
    budget::{MemoryStore, Rate},
    concurrency_limit::{ConcurrencyLimitLayer, Config as Limit},
    drain::{Bounds, DrainLayer},
    request_limit::{self, RequestLimitLayer},
    token_limit::{Budget, OnOpaque, TokenLimitLayer, consumed::ConsumedLayer},
};
use bytes::Bytes;
use http::{HeaderName, Request, Response};
use http_body_util::Full;
use tower::{Layer, ServiceExt, service_fn};

fn drain(bounds: Bounds) -> DrainLayer<Tokio> {
    DrainLayer::new(bounds, Tokio)
}

fn one_call() -> ConcurrencyLimitLayer<NoTimer> {
    ConcurrencyLimitLayer::try_new(Limit::new([], 1), NoTimer).unwrap()
}

fn a_call() -> Request<Full<Bytes>> {
    let request = Request::post("/v1/chat/completions");
    request.body(Full::from(STREAM)).unwrap()
}

fn a_minute() -> Bounds {
    Bounds::new(Duration::from_secs(60), 1 << 20)
}

fn access() -> AuthenticateLayer {
    let consumer = ConsumerConfig::new("team-a").key("sk-team-a");
    AuthenticateLayer::try_new(access::Config::default().consumer(consumer)).unwrap()
}

fn with_key<B>(body: B) -> Request<B> {
    let request = Request::post("/v1/chat/completions").header("api-key", "sk-team-a");
    request.body(body).unwrap()
}

fn token_limit() -> TokenLimitLayer<MemoryStore> {
    let rate = Rate::try_new(1_000_000, Duration::from_secs(1)).unwrap();
    let budget = Budget::new("rate", rate);
    TokenLimitLayer::try_new([budget], MemoryStore::new(), OnOpaque::Pass).unwrap()
}

fn request_limit() -> RequestLimitLayer {
    let rate = Rate::try_new(1_000_000, Duration::from_secs(1)).unwrap();
    RequestLimitLayer::try_new(request_limit::Config::new([], rate)).unwrap()
}

fn chat() -> Request<Full<Bytes>> {
    let body = r#"{"model":"m","stream":true,"messages":[]}"#;
    Request::post("/v1/chat/completions")
        .body(body.into())
        .unwrap()
}

/// The output of a future that waits for nothing.
fn now<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("it waits"),
    }
}

#[tokio::test(start_paused = true)]
async fn every_body_is_a_window() {
    body::check(|sample| {
        let answer = service_fn(|_| ready(Ok::<_, Infallible>(Response::new(sample.clone()))));
        let stack = drain(a_minute()).layer(answer);
        now(stack.oneshot(Request::new(()))).unwrap().into_body()
    });
    body::check(|sample| {
        let answer = service_fn(|_| ready(Ok::<_, Infallible>(Response::new(sample.clone()))));
        let stack = access().layer(answer);
        let answer = now(stack.oneshot(with_key(()))).unwrap();
        assert!(!answer.body().is_refused());
        answer.into_body()
    });
    body::check(|sample| {
        let answer = service_fn(|_| ready(Ok::<_, Infallible>(Response::new(sample.clone()))));
        let stack = CallLayer::new().layer(one_call().layer(answer));
        now(stack.oneshot(a_call())).unwrap().into_body()
    });
}

#[tokio::test(start_paused = true)]
async fn the_body_of_a_token_limit_is_a_window() {
    body::check(|sample| {
        let answer = service_fn(|_| ready(Ok::<_, Infallible>(Response::new(sample.clone()))));
        let stack = CallLayer::new().layer(token_limit().layer(answer));
        now(stack.oneshot(chat())).unwrap().into_body()
    });
}

#[tokio::test(start_paused = true)]
async fn the_body_of_a_request_limit_is_a_window() {
    body::check(|sample| {
        let answer = service_fn(|_| ready(Ok::<_, Infallible>(Response::new(sample.clone()))));
        let stack = CallLayer::new().layer(request_limit().layer(answer));
        now(stack.oneshot(chat())).unwrap().into_body()
    });
}

#[tokio::test(start_paused = true)]
async fn every_policy_is_ready_when_its_inner_service_is_and_calls_that() {
    let policy = drain(a_minute());
    service::forwards_readiness::<Request<()>, _, _>(|inner| policy.layer(inner));
    service::calls_what_is_ready(|inner| policy.layer(inner), || Request::new(())).await;
    let policy = access();
    service::forwards_readiness::<Request<()>, _, _>(|inner| policy.layer(inner));
    service::calls_what_is_ready(|inner| policy.layer(inner), || with_key(())).await;

    type Asked = Request<CallBody<Full<Bytes>>>;
    let policy = token_limit();
    service::forwards_readiness::<Asked, _, _>(|inner| policy.layer(inner));
    let call = CallLayer::new();
    service::calls_what_is_ready(|inner| call.layer(policy.layer(inner)), chat).await;
    let policy = ConsumedLayer::new(HeaderName::from_static("x-consumed"));
    service::forwards_readiness::<Asked, _, _>(|inner| policy.layer(inner));
    service::calls_what_is_ready(|inner| call.layer(policy.layer(inner)), chat).await;
    let policy = request_limit();
    service::forwards_readiness::<Asked, _, _>(|inner| policy.layer(inner));
    service::calls_what_is_ready(|inner| call.layer(policy.layer(inner)), chat).await;
}

#[tokio::test]
async fn a_policy_that_chooses_by_request_calls_a_clone_that_it_made_ready() {
    let policy = one_call();
    let stack = |inner| CallLayer::new().layer(policy.layer(inner));
    service::calls_what_is_ready(stack, a_call).await;
}

#[tokio::test(start_paused = true)]
async fn a_call_dropped_anywhere_without_room_to_drain_is_dropped_at_the_provider() {
    let slow = Config::default().time_per_token(Duration::from_millis(1));
    let provider = Provider::with_config(slow, Tokio);
    let stack = drain(Bounds::new(Duration::ZERO, 0)).layer(provider.clone());
    let call = || stack.clone().oneshot(with_key(Full::<Bytes>::from(STREAM)));
    drops::at_every_poll(call, |_| assert_eq!(provider.in_flight(), 0)).await;
}

const STREAM: &str =
    r#"{"model":"m","stream":true,"messages":[{"role":"user","content":"Hello!"}]}"#;

#[tokio::test(start_paused = true)]
async fn a_call_dropped_anywhere_behind_its_key_is_dropped_at_the_provider() {
    let slow = Config::default().time_per_token(Duration::from_millis(1));
    let provider = Provider::with_config(slow, Tokio);
    let stack = access().layer(provider.clone());
    let call = || stack.clone().oneshot(with_key(Full::<Bytes>::from(STREAM)));
    drops::at_every_poll(call, |_| assert_eq!(provider.in_flight(), 0)).await;
    assert!(provider.calls().len() > 1, "nobody was let in");
}

#[tokio::test(start_paused = true)]
async fn a_call_dropped_anywhere_gives_its_place_back_and_is_dropped_at_the_provider() {
    let slow = Config::default().time_per_token(Duration::from_millis(1));
    let provider = Provider::with_config(slow, Tokio);
    let policy = one_call();
    let stack = CallLayer::new().layer(policy.layer(provider.clone()));
    let call = || stack.clone().oneshot(a_call());
    drops::at_every_poll(call, |_| {
        let inside = policy.handle().levels().in_flight;
        assert_eq!((provider.in_flight(), inside), (0, 0));
    })
    .await;
}
