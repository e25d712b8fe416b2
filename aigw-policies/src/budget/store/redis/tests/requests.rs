//! Request limits in memory, which governor decides, and in Redis, on one trace.

use std::convert::Infallible;

use aigw_core::{call::CallLayer, key::Dimension};
use http::{HeaderMap, Request, Response};
use http_body_util::Empty;
use tower::{Layer, ServiceExt, service_fn};

use super::{
    agreement::{Chance, Still},
    *,
};
use crate::request_limit::{self, RequestLimitLayer};

/// What a limit answers to a request of this team.
async fn ask<St: Store>(limit: &RequestLimitLayer<St>, team: &str) -> (u16, HeaderMap) {
    let provider = service_fn(async |_| Ok::<_, Infallible>(Response::new(Empty::default())));
    let service = CallLayer::new().layer(limit.layer(provider));
    let request = Request::get("/v1/models").header("x-team", team);
    let request = request.body(Empty::<bytes::Bytes>::new()).unwrap();
    let (head, _) = service.oneshot(request).await.unwrap().into_parts();
    (head.status.as_u16(), head.headers)
}

#[tokio::test]
#[ignore = "needs a Redis"]
async fn redis_and_governor_come_to_the_same_verdicts() {
    // Intervals of whole microseconds, which both can count.
    for (seed, (amount, seconds)) in [(50, 1), (3, 60), (100, 10), (1, 5)]
        .into_iter()
        .enumerate()
    {
        let team: Dimension = "header:x-team".parse().unwrap();
        let config = request_limit::Config::new([team], rate(amount, seconds));
        let clock = Still::new();
        let memory = RequestLimitLayer::with_clock(config.clone(), clock.clone(), 100).unwrap();
        let (store, _driver) = store(OnError::Deny).await;
        let redis = RequestLimitLayer::with_store(config, store.clone()).unwrap();
        let interval = 1_000_000 * seconds / amount;
        let mut chance = Chance(seed as u64);
        let (mut admitted, mut refused) = (0, 0);
        for step in 0..1_000 {
            if chance.below(8) == 0 {
                clock.pass(Duration::from_micros(chance.below(3 * interval)));
            }
            *store.shared().time.lock().unwrap() = Some(clock.time());
            let team = ["a", "b"][chance.below(2) as usize];
            let (ours, theirs) = (ask(&memory, team).await, ask(&redis, team).await);
            assert_eq!(theirs, ours, "{amount} in {seconds} s, step {step}");
            match ours.0 {
                200 => admitted += 1,
                _ => refused += 1,
            }
        }
        assert!(
            admitted > 50 && refused > 50,
            "{amount}: {admitted}, {refused}"
        );
    }
}
