//! When Redis is late, and when it is there again.

use std::{
    future::poll_fn,
    pin::Pin,
    task::{Context, Poll, Wake, Waker},
};

use super::*;

/// Answers decisions once it is told to, and nothing else ever.
#[derive(Clone, Default)]
struct Held(Arc<AtomicBool>, Arc<Mutex<Vec<Vec<u8>>>>);

impl Held {
    fn connection(&self) -> impl ConnectionLike + Clone + Send + Sync + use<> {
        let Self(open, said) = self.clone();
        ByHand(move |command: Vec<u8>| {
            let (open, is_beat) = (Arc::clone(&open), is_beat(&command));
            said.lock().unwrap().push(command);
            poll_fn(move |_| match !is_beat && open.load(Ordering::SeqCst) {
                true => Poll::Ready(all_admitted()),
                false => Poll::Pending,
            })
        })
    }
}

/// An executor whose driver runs before whoever wakes it goes on, as one on another core may.
struct Inline {
    driver: Mutex<Option<Driver>>,
    wakes: Mutex<u32>,
    /// At which wake the answer arrives.
    at: Mutex<Option<u32>>,
    open: Arc<AtomicBool>,
}

impl Wake for Inline {
    fn wake(self: Arc<Self>) {
        let number = {
            let mut wakes = self.wakes.lock().unwrap();
            *wakes += 1;
            *wakes
        };
        if *self.at.lock().unwrap() == Some(number) {
            self.open.store(true, Ordering::SeqCst);
        }
        let Some(mut driver) = self.driver.lock().unwrap().take() else {
            return;
        };
        let waker = Waker::from(Arc::clone(&self));
        let _ = Pin::new(&mut driver).poll(&mut Context::from_waker(&waker));
        *self.driver.lock().unwrap() = Some(driver);
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_at_the_deadline_leaves_the_claims_to_who_decides_alone() {
    for on_error in [OnError::Allow, OnError::Local] {
        let held = Held::default();
        let config = config(on_error).deadline(Duration::from_millis(100));
        let (store, driver) = RedisStore::new(held.connection(), Tokio, config);
        let inline = Arc::new(Inline {
            driver: Mutex::new(Some(driver)),
            wakes: Mutex::new(0),
            at: Mutex::new(None),
            open: Arc::clone(&held.0),
        });
        Arc::clone(&inline).wake();
        let limit = Quota::try_new(100, Period::Year, Align::Utc).unwrap();
        let mut asking = store.reserve(vec![claim("q", "k", limit, 10)]);
        let mut cx = Context::from_waker(Waker::noop());
        assert!(Pin::new(&mut asking).poll(&mut cx).is_pending());
        tokio::time::sleep(Duration::from_millis(200)).await;
        // The first wake tells that nobody waits any more.
        let now = *inline.wakes.lock().unwrap();
        *inline.at.lock().unwrap() = Some(now + 1);
        let Poll::Ready(Verdict::Admitted(holds)) = Pin::new(&mut asking).poll(&mut cx) else {
            panic!("decided without Redis");
        };
        assert_eq!(
            holds.len(),
            1,
            "{on_error}: admitted without holding anything"
        );
        // With the runtime that its timer needs.
        drop(inline.driver.lock().unwrap().take());
    }
}

#[cfg(feature = "concurrency-limit")]
#[tokio::test(start_paused = true)]
async fn who_asks_for_a_lease_gives_back_what_redis_may_not_know_of() {
    use crate::concurrency_limit::Lessor as _;

    let held = Held::default();
    let (store, driver) = RedisStore::new(held.connection(), Tokio, config(OnError::Deny));
    let driver = tokio::spawn(driver);
    // The first beat is on its way, and takes a while.
    tokio::time::sleep(Duration::from_millis(10)).await;
    let key = Key::new("c", [Some("k")]);
    let enter = || {
        let mut leasing = store.lease(&key, 1);
        let mut cx = Context::from_waker(Waker::noop());
        assert!(Pin::new(&mut leasing).poll(&mut cx).is_pending());
        leasing
    };
    drop(enter());
    tokio::time::sleep(Duration::from_millis(10)).await;
    let _second = enter();
    let said = held.1.lock().unwrap();
    let last = String::from_utf8_lossy(said.last().unwrap()).into_owned();
    let first = format!("{}:1", store.shared().process);
    driver.abort();
    let rest = said.len();
    assert!(last.contains(&first), "{rest} calls, the last: {last}");
}

/// Answers everything, after ten milliseconds.
fn slow() -> impl ConnectionLike + Clone + Send + Sync {
    ByHand(async |command: Vec<u8>| {
        tokio::time::sleep(Duration::from_millis(10)).await;
        match is_beat(&command) {
            true => alone(7),
            false => all_admitted(),
        }
    })
}

/// Redis answers every call within 10 ms, and yet counts as lost for as long as there is load.
#[tokio::test(start_paused = true)]
async fn an_outage_is_over_though_calls_go_on() {
    let (store, driver) = RedisStore::new(slow(), Tokio, config(OnError::Allow));
    tokio::spawn(driver);
    tokio::time::sleep(Duration::from_secs(1)).await;
    let limit = Quota::try_new(100, Period::Year, Align::Utc).unwrap();
    // One call was late.
    store.shared().lose();
    for _ in 0..12_000 {
        let store = store.clone();
        tokio::spawn(async move {
            let Verdict::Admitted(holds) = store.reserve(vec![claim("q", "k", limit, 1)]).await
            else {
                panic!("everything is allowed");
            };
            store.settle(holds, &[2]);
        });
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let stats = store.stats();
    assert!(
        !stats.is_lost,
        "for a minute of 200 calls a second: {stats:?}"
    );
}

#[cfg(feature = "concurrency-limit")]
#[tokio::test(start_paused = true)]
async fn an_outage_is_over_though_places_are_given_back() {
    use crate::concurrency_limit::{Leased, Lessor as _};

    let (store, driver) = RedisStore::new(slow(), Tokio, config(OnError::Allow));
    tokio::spawn(driver);
    tokio::time::sleep(Duration::from_secs(1)).await;
    store.shared().lose();
    for _ in 0..12_000 {
        let other = store.clone();
        tokio::spawn(async move {
            let lease = other.lease(&Key::new("c", [Some("k")]), 1000).await;
            if let Leased::Held(lease) = lease {
                tokio::time::sleep(Duration::from_millis(20)).await;
                drop(lease);
            }
        });
        tokio::time::sleep(Duration::from_millis(5)).await;
        if !store.stats().is_lost {
            return;
        }
    }
    panic!("for a minute of 200 calls a second: {:?}", store.stats());
}
