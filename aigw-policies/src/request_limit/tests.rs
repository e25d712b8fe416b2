//! The layer, on a clock that stands still until a test moves it.

use std::{
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use aigw_core::{call::CallLayer, key::Dimension, reject::Refused, rt::Tokio};
use http::{HeaderMap, Request, Response};
use http_body_util::Full;
use tower::{Layer, Service, ServiceExt, service_fn};

use super::*;
use crate::budget::{
    Align, Claim, Condition, Headers, Key, Limit, MemoryStore, Period, Quota, Rate, Store, Verdict,
};

type Body = Full<bytes::Bytes>;

fn rate(amount: u64, seconds: u64) -> Rate {
    Rate::try_new(amount, Duration::from_secs(seconds)).unwrap()
}

fn team() -> Dimension {
    "header:x-team".parse().unwrap()
}

/// A limit on tokio's clock, which tests pause.
fn in_memory(limit: impl Into<Limit>) -> RequestLimitLayer<MemoryStore<Tokio>> {
    let config = Config::new([team()], limit).name("fair");
    RequestLimitLayer::with_clock(config, Tokio, 100).unwrap()
}

/// The answer to a call of this team, and how often a provider was asked.
struct House<S> {
    service: S,
    asked: Arc<AtomicUsize>,
}

impl<St: Store> House<CallService<St>> {
    fn new(layer: &RequestLimitLayer<St>) -> Self {
        let asked = Arc::<AtomicUsize>::default();
        let counted = Arc::clone(&asked);
        let provider = service_fn(move |_| {
            counted.fetch_add(1, Relaxed);
            let answer = Response::builder()
                .header("x-ratelimit-limit-requests", "7000")
                .body(Body::default())
                .unwrap();
            std::future::ready(Ok::<_, Infallible>(answer))
        });
        let provider = tower::util::BoxCloneSyncService::new(provider);
        let service = CallLayer::new().layer(layer.layer(provider));
        Self { service, asked }
    }
}

type Provider = tower::util::BoxCloneSyncService<
    Request<aigw_core::call::CallBody<Body>>,
    Response<Body>,
    Infallible,
>;
type CallService<St> = aigw_core::call::CallService<RequestLimit<Provider, St>>;

fn request(team: &str) -> Request<Body> {
    Request::post("/v1/chat/completions")
        .header("x-team", team)
        .body(Full::from(r#"{"model":"m","messages":[]}"#))
        .unwrap()
}

impl<St: Store> House<CallService<St>> {
    async fn ask(&self, team: &str) -> (u16, HeaderMap, Option<Refused>) {
        let answer = self.service.clone().oneshot(request(team)).await.unwrap();
        let refused = answer.extensions().get::<Refused>().cloned();
        (answer.status().as_u16(), answer.headers().clone(), refused)
    }
}

fn header<'h>(headers: &'h HeaderMap, name: &str) -> &'h str {
    headers[name].to_str().unwrap()
}

#[tokio::test(start_paused = true)]
async fn who_waits_as_told_is_let_in_and_a_millisecond_less_is_not_enough() {
    let quota = Quota::try_new(3, Period::Hour, Align::Rolling).unwrap();
    let limits: [Limit; 2] = [rate(3, 60).into(), quota.into()];
    for limit in limits {
        let house = House::new(&in_memory(limit));
        for left in ["2", "1", "0"] {
            let (status, headers, _) = house.ask("a").await;
            assert_eq!(status, 200);
            assert_eq!(header(&headers, "x-ratelimit-remaining-requests"), left);
            assert_eq!(header(&headers, "x-ratelimit-limit-requests"), "3");
        }
        let (status, headers, refused) = house.ask("a").await;
        assert_eq!(status, 429);
        assert_eq!(header(&headers, "x-ratelimit-remaining-requests"), "0");
        assert!(refused.is_some());
        let ms: u64 = header(&headers, "retry-after-ms").parse().unwrap();
        let seconds: u64 = header(&headers, "retry-after").parse().unwrap();
        assert_eq!(seconds, ms.div_ceil(1000));
        assert_eq!(house.ask("b").await.0, 200);
        tokio::time::advance(Duration::from_millis(ms - 1)).await;
        assert_eq!(house.ask("a").await.0, 429, "{limit}");
        tokio::time::advance(Duration::from_millis(1)).await;
        assert_eq!(house.ask("a").await.0, 200, "{limit}");
        assert_eq!(house.asked.load(Relaxed), 5);
    }
}

#[tokio::test(start_paused = true)]
async fn both_ways_of_counting_a_rate_tell_the_same() {
    let governed = House::new(&in_memory(rate(5, 10)));
    let config = Config::new([team()], rate(5, 10)).name("fair");
    let stored = MemoryStore::with_clock(Tokio, 100);
    let stored = House::new(&RequestLimitLayer::with_store(config, stored).unwrap());
    for step in 0..100 {
        let (one, other) = (governed.ask("a").await, stored.ask("a").await);
        assert_eq!(one.0, other.0, "step {step}");
        for name in ["x-ratelimit-remaining-requests", "retry-after-ms"] {
            assert_eq!(one.1.get(name), other.1.get(name), "step {step}: {name}");
        }
        tokio::time::advance(Duration::from_millis(step % 7 * 400)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn calls_for_which_it_does_not_hold_are_not_counted() {
    let gold = Condition::value(team(), "gold");
    let config = Config::new([], rate(1, 60)).when(gold);
    let layer = RequestLimitLayer::with_clock(config, Tokio, 10).unwrap();
    let house = House::new(&layer);
    for _ in 0..3 {
        let (status, headers, _) = house.ask("lead").await;
        assert_eq!(status, 200);
        // Nor does a provider's limit pass for ours.
        assert_eq!(headers.get("x-ratelimit-limit-requests"), None);
    }
    assert_eq!(house.ask("gold").await.0, 200);
    assert_eq!(house.ask("gold").await.0, 429);
    let config = Config::new([], rate(1, 60)).when(Condition::default());
    let error = RequestLimitLayer::try_new(config).unwrap_err();
    assert_eq!(error, ConfigError::EmptyCondition);
}

type TwoLimits = RequestLimit<RequestLimit<Provider, MemoryStore<Tokio>>, MemoryStore<Tokio>>;

/// One limit outside another.
fn two(
    outer: RequestLimitLayer<MemoryStore<Tokio>>,
    inner: RequestLimitLayer<MemoryStore<Tokio>>,
) -> aigw_core::call::CallService<TwoLimits> {
    let provider = service_fn(|_| {
        let answer = Response::builder().header("x-ratelimit-degraded", "1");
        std::future::ready(Ok(answer.body(Body::default()).unwrap()))
    });
    let provider = tower::util::BoxCloneSyncService::new(provider);
    CallLayer::new().layer(outer.layer(inner.layer(provider)))
}

#[tokio::test(start_paused = true)]
async fn a_limit_is_read_and_changed_while_it_runs() {
    let quota = |amount| Quota::try_new(amount, Period::Hour, Align::Utc).unwrap();
    let pairs: [(Limit, Limit); 2] = [
        (rate(3, 60).into(), rate(5, 60).into()),
        (quota(3).into(), quota(5).into()),
    ];
    for (before, after) in pairs {
        let layer = in_memory(before);
        let (house, handle) = (House::new(&layer), layer.handle());
        assert_eq!(house.ask("a").await.0, 200);
        let left = async |team| handle.left(&[Some(team)]).await.unwrap().unwrap().remaining;
        assert_eq!((left("a").await, left("b").await), (2, 3));
        handle.set_limit(after).unwrap();
        assert_eq!((handle.limit(), left("b").await), (after, 5));
        let (_, headers, _) = house.ask("b").await;
        assert_eq!(header(&headers, "x-ratelimit-limit-requests"), "5");
        // Of a rate as much is left as was, of a quota what was not used.
        let expected = if matches!(after, Limit::Rate(_)) {
            2
        } else {
            4
        };
        assert_eq!(left("a").await, expected);
    }
    let layer = in_memory(rate(3, 60));
    let error = layer.handle().set_limit(rate(1 << 32, 60)).unwrap_err();
    assert_eq!(error, ConfigError::TooMany(1 << 32));
    layer.handle().set_limit(quota(1)).unwrap();
    let house = House::new(&layer);
    assert_eq!((house.ask("a").await.0, house.ask("a").await.0), (200, 429));
}

#[tokio::test(start_paused = true)]
async fn a_budget_of_the_same_name_on_the_same_store_is_another() {
    let store = MemoryStore::with_clock(Tokio, 100);
    let config = Config::new([team()], rate(3, 60)).name("team");
    let layer = RequestLimitLayer::with_store(config, store.clone()).unwrap();
    let (key, limit) = (Key::new("team", [Some("a")]), rate(500, 60).into());
    let amount = 400;
    let claims = vec![Claim { key, limit, amount }];
    let Verdict::Admitted(holds) = store.reserve(claims).await else {
        panic!("400 of 500 fit");
    };
    let (status, headers, _) = House::new(&layer).ask("a").await;
    assert_eq!(status, 200);
    assert_eq!(header(&headers, "x-ratelimit-remaining-requests"), "2");
    let left = layer.handle().left(&[Some("a")]).await.unwrap().unwrap();
    assert_eq!(left.remaining, 2);
    let key = &holds[0].claim().key;
    assert_eq!(store.left(key, &limit).unwrap().remaining, 100);
}

#[tokio::test(start_paused = true)]
async fn of_several_limits_the_one_with_the_least_left_tells() {
    for (outer, inner) in [(5, 9), (9, 5)] {
        let service = two(in_memory(rate(outer, 60)), in_memory(rate(inner, 60)));
        let answer = service.oneshot(request("a")).await.unwrap();
        let told = |name| header(answer.headers(), name);
        assert_eq!(told("x-ratelimit-limit-requests"), "5");
        assert_eq!(told("x-ratelimit-remaining-requests"), "4");
        assert_eq!(answer.headers().get("x-ratelimit-degraded"), None);
    }
}

#[tokio::test(start_paused = true)]
async fn a_refusal_tells_of_the_limit_that_refuses_whatever_stands_outside() {
    for (outer, inner) in [(9, 1), (1, 9), (2, 1)] {
        let service = two(in_memory(rate(outer, 60)), in_memory(rate(inner, 60)));
        let first = service.clone().oneshot(request("a")).await.unwrap();
        assert_eq!(first.status(), 200);
        let refused = service.oneshot(request("a")).await.unwrap();
        assert_eq!(refused.status(), 429);
        let told = |name| header(refused.headers(), name);
        assert_eq!(told("x-ratelimit-limit-requests"), "1");
        assert_eq!(told("x-ratelimit-remaining-requests"), "0");
        assert_eq!(told("x-ratelimit-reset-requests"), "1m0s");
    }
}

#[tokio::test(start_paused = true)]
async fn limits_tell_under_names_of_their_own_or_not_at_all() {
    let mut named = Headers::none();
    named.remaining = Some(http::HeaderName::from_static("remaining-today"));
    let outer = in_memory(rate(9, 60));
    for (team, headers, today) in [("a", named, Some("4")), ("b", Headers::none(), None)] {
        let service = two(
            outer.clone(),
            in_memory(rate(5, 60)).headers(headers).unwrap(),
        );
        let answer = service.oneshot(request(team)).await.unwrap();
        let told = answer.headers().get("remaining-today");
        assert_eq!(told.map(|told| told.to_str().unwrap()), today);
        // It has less left, and is told of elsewhere.
        assert_eq!(
            header(answer.headers(), "x-ratelimit-remaining-requests"),
            "8"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn headers_can_be_left_out_and_a_refusal_names_the_limit() {
    let layer = in_memory(rate(1, 60)).headers(Headers::none()).unwrap();
    let house = House::new(&layer);
    let (_, headers, _) = house.ask("a").await;
    assert_eq!(headers.get("x-ratelimit-remaining-requests"), None);
    let answer = house.service.clone().oneshot(request("a")).await.unwrap();
    assert_eq!(answer.headers().get("x-ratelimit-remaining-requests"), None);
    let body = http_body_util::BodyExt::collect(answer.into_body())
        .await
        .unwrap();
    let body = String::from_utf8(body.to_bytes().to_vec()).unwrap();
    let expected = "request limit `fair` (1 requests per minute) is reached; it admits one in 1m0s";
    assert!(body.contains(expected), "{body}");
    assert!(body.contains("rate_limit_exceeded"), "{body}");
}

#[tokio::test]
async fn a_request_that_is_dropped_before_the_verdict_does_not_count() {
    let quota = Quota::try_new(1, Period::Year, Align::Utc).unwrap();
    let config = Config::new([], quota);
    let house = House::new(&RequestLimitLayer::with_store(config, MemoryStore::new()).unwrap());
    drop(house.service.clone().call(request("a")));
    assert_eq!(house.ask("a").await.0, 200);
    assert_eq!(house.ask("a").await.0, 429);
}
