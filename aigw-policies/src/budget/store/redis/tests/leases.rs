//! Concurrency limits of many processes.

use std::{convert::Infallible, pin::Pin, task::Poll};

use aigw_core::{call::CallLayer, rt::NoTimer};
use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use http_body_util::Full;
use tower::{Layer, ServiceExt, service_fn};

use super::{
    outage::{Cable, Outage},
    *,
};
use crate::concurrency_limit::{self, ConcurrencyLimitLayer, Lease, Leased, Lessor};

fn key() -> Key {
    Key::new("calls", [Some("k")])
}

async fn ask(store: &RedisStore<Tokio>, calls: usize) -> Leased {
    store.lease(&key(), calls).await
}

async fn held(store: &RedisStore<Tokio>, calls: usize) -> Option<Lease> {
    match ask(store, calls).await {
        Leased::Held(lease) => Some(lease),
        Leased::Full => None,
        Leased::OfShare(..) | Leased::Refused(_) => panic!("Redis does not answer"),
    }
}

/// Two processes that share a namespace.
async fn two() -> [(Redis, JoinHandle<()>); 2] {
    let config = config(OnError::Deny);
    let process = async || {
        let (store, driver) = RedisStore::new(connection().await, Tokio, config.clone());
        (store, tokio::spawn(driver))
    };
    [process().await, process().await]
}

#[tokio::test]
#[ignore = "needs a Redis"]
async fn processes_together_hold_no_more_than_the_limit() {
    let [(one, _), (other, _)] = two().await;
    let inside = Arc::new(Mutex::new((0, 0)));
    let mut clients = tokio::task::JoinSet::new();
    for client in 0..64 {
        let store = [&one, &other][client % 2].clone();
        let inside = Arc::clone(&inside);
        clients.spawn(async move {
            let mut entered = 0;
            for _ in 0..20 {
                let Some(lease) = held(&store, 10).await else {
                    continue;
                };
                entered += 1;
                {
                    let (now, most) = &mut *inside.lock().unwrap();
                    *now += 1;
                    *most = (*now).max(*most);
                }
                tokio::task::yield_now().await;
                // Before it is given back, for another may hold it then.
                inside.lock().unwrap().0 -= 1;
                drop(lease);
            }
            entered
        });
    }
    let entered: i32 = clients.join_all().await.into_iter().sum();
    let (now, most) = *inside.lock().unwrap();
    assert!(entered > 64 && now == 0, "{entered}, {now}");
    assert!((2..=10).contains(&most), "{most}");
    one.flush().await;
    other.flush().await;
    let all = [held(&one, 1).await, held(&other, 1).await];
    assert!(all[0].is_some() && all[1].is_none());
    assert_eq!((one.stats().leases, other.stats().leases), (1, 0));
}

#[tokio::test]
#[ignore = "needs a Redis"]
async fn what_is_given_back_can_be_taken_at_once() {
    let (store, _driver) = store(OnError::Deny).await;
    for _ in 0..100 {
        assert!(held(&store, 1).await.is_some());
    }
}

#[tokio::test]
#[ignore = "needs a Redis"]
async fn leases_end_when_their_process_dies_and_not_before() {
    let [(dead, driver), (lives, _)] = two().await;
    let at = |millis: u64| {
        let time = Timestamp::from_micros(1_700_000_000_000_000);
        let time = time.after(Duration::from_millis(millis));
        for store in [&dead, &lives] {
            *store.shared().time.lock().unwrap() = Some(time);
        }
    };
    at(0);
    let lease = held(&dead, 1).await.unwrap();
    at(10_000);
    dead.shared().leave(|inbox| inbox.leases.renew());
    dead.flush().await;
    driver.abort();
    at(24_999);
    assert!(held(&lives, 1).await.is_none());
    at(25_000);
    assert!(held(&lives, 1).await.is_some());
    drop(lease);
}

#[tokio::test(start_paused = true)]
async fn leases_are_renewed_three_times_before_they_end() {
    let asked = Arc::<Mutex<Vec<Vec<u8>>>>::default();
    let heard = Arc::clone(&asked);
    let granting = ByHand(move |command: Vec<u8>| {
        let answer = match is_beat(&command) {
            true => alone(1),
            false => Value::Int(1),
        };
        heard.lock().unwrap().push(command);
        std::future::ready(answer)
    });
    let (store, driver) = RedisStore::new(granting, Tokio, config(OnError::Deny));
    tokio::spawn(driver);
    // The first beat.
    tokio::task::yield_now().await;
    let lease = held(&store, 1).await.unwrap();
    let renewals = || {
        let asked = asked.lock().unwrap();
        asked
            .iter()
            .filter(|it| behind(it, b"renew").is_some())
            .count()
    };
    tokio::time::sleep(Duration::from_millis(15_001)).await;
    assert_eq!(renewals(), 3);
    drop(lease);
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(renewals(), 3);
}

#[tokio::test]
#[ignore = "needs a Redis"]
async fn a_lease_that_nobody_waits_for_is_given_back() {
    let (store, driver) = store(OnError::Deny).await;
    for polls in 0..4 {
        let mut leasing = store.lease(&key(), 1);
        for _ in 0..polls {
            let poll = |cx: &mut std::task::Context<'_>| {
                Poll::Ready(Pin::new(&mut leasing).poll(cx).is_pending())
            };
            if !std::future::poll_fn(poll).await {
                break;
            }
            tokio::task::yield_now().await;
        }
        drop(leasing);
        store.flush().await;
        assert!(held(&store, 1).await.is_some(), "after {polls} polls");
    }
    drop(store);
    driver.await.unwrap();
}

#[tokio::test]
#[ignore = "needs a Redis"]
async fn an_outage_is_as_chosen_and_what_entered_in_it_counts_when_it_is_over() {
    let outage = Outage::begin(OnError::Deny).await;
    let refused = ask(&outage.store, 1).await;
    assert!(
        matches!(refused, Leased::Refused(refusal) if refusal.reason.as_str() == "unavailable")
    );

    for on_error in [OnError::Allow, OnError::Local] {
        let outage = Outage::begin(on_error).await;
        let lease = match ask(&outage.store, 1).await {
            Leased::Held(lease) if on_error == OnError::Allow => lease,
            Leased::OfShare(lease, 1) if on_error == OnError::Local => lease,
            _ => panic!("{on_error} decides otherwise"),
        };
        outage.end().await;
        outage.store.flush().await;
        assert!(held(&outage.store, 1).await.is_none(), "{on_error}");
        drop(lease);
        assert!(held(&outage.store, 1).await.is_some(), "{on_error}");
    }
}

#[tokio::test]
#[ignore = "needs a Redis"]
async fn a_lease_whose_answer_is_lost_is_given_back() {
    let outage = Outage::begin(OnError::Deny).await;
    outage.end().await;
    outage.turn(Cable::Deaf);
    assert!(matches!(ask(&outage.store, 1).await, Leased::Refused(_)));
    outage.end().await;
    outage.store.flush().await;
    assert!(held(&outage.store, 1).await.is_some());
}

/// A limit of one call over a store.
fn limit(store: &Redis) -> ConcurrencyLimitLayer<NoTimer> {
    let config = concurrency_limit::Config::new([], 1).name("calls");
    ConcurrencyLimitLayer::with_store(config, NoTimer, store.clone()).unwrap()
}

async fn call<T>(limit: &ConcurrencyLimitLayer<T>) -> Response<impl Body<Data = Bytes> + use<T>>
where
    T: aigw_core::rt::Timer,
{
    let answer = Full::new(Bytes::from_static(b"an answer"));
    let provider = service_fn(move |_| {
        let answer = Response::new(answer.clone());
        std::future::ready(Ok::<_, Infallible>(answer))
    });
    let service = CallLayer::new().layer(limit.layer(provider));
    let request = Request::get("/v1/models");
    let request = request.body(Full::<Bytes>::default()).unwrap();
    service.oneshot(request).await.unwrap()
}

#[tokio::test]
#[ignore = "needs a Redis"]
async fn a_call_holds_its_lease_until_its_answer_has_ended() {
    let [(one, _), (other, _)] = two().await;
    let (here, there) = (limit(&one), limit(&other));
    let answer = call(&here).await;
    assert_eq!(answer.status(), 200);
    let refused = call(&there).await;
    assert_eq!(refused.status(), 429);
    assert!(!refused.headers().contains_key("retry-after"));
    assert_eq!(there.handle().levels().in_flight, 0);
    drop(answer);
    assert_eq!(call(&here).await.status(), 200);
    one.flush().await;
    assert_eq!(call(&there).await.status(), 200);
}

#[tokio::test]
#[ignore = "needs a Redis"]
async fn in_an_outage_each_process_has_its_share_of_the_places() {
    let outage = Outage::begin(OnError::Local).await;
    outage.store.shared().set_processes(2);
    let config = concurrency_limit::Config::new([], 4).name("calls");
    let store = outage.store.clone();
    let limit = ConcurrencyLimitLayer::with_store(config, NoTimer, store).unwrap();
    let mut inside = Vec::new();
    for status in [200, 200, 429, 429] {
        let answer = call(&limit).await;
        assert_eq!(answer.status(), status);
        inside.extend((status == 200).then_some(answer));
    }
    drop(inside);
    assert_eq!(call(&limit).await.status(), 200);
}
