//! A call that is dropped anywhere, before or within its answer, is settled exactly once.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use aigw_core::{
    call::{CallLayer, Record},
    meter::MeterLayer,
    rt::Tokio,
    testing::{Provider, provider},
};
use aigw_policies::{
    budget::{Align, Key, Limit, MemoryStore, Period, Quota, Store},
    token_limit::{Budget, Charged, OnOpaque, Output, TokenLimitLayer},
};
use http_body_util::BodyExt;
use tower::{ServiceBuilder, ServiceExt};

use crate::house::{Told, request};

/// A future that is polled so often at most.
struct AtMost<F>(Pin<Box<F>>, usize);

impl<F: Future> Future for AtMost<F> {
    /// `None` where it would have taken longer.
    type Output = Option<F::Output>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<F::Output>> {
        let Some(polls) = self.1.checked_sub(1) else {
            return Poll::Ready(None);
        };
        self.1 = polls;
        self.0.as_mut().poll(cx).map(Some)
    }
}

fn limit() -> Limit {
    let quota = Quota::try_new(1_000_000, Period::Year, Align::Utc);
    quota.unwrap().into()
}

/// Drops a call after every number of polls, until one ends by itself. Answers how many were
/// charged, and with how much altogether.
async fn drop_everywhere<St: Store>(store: St) -> (usize, u64) {
    let slow = provider::Config::default().time_per_token(Duration::from_millis(1));
    let limit = TokenLimitLayer::try_new([Budget::new("b", limit())], store, OnOpaque::Pass)
        .unwrap()
        .output(Output::Tokens(40))
        .estimator(Told::default());
    let stack = ServiceBuilder::new()
        .layer(CallLayer::new())
        .layer(limit)
        .layer(MeterLayer::new())
        .service(Provider::with_config(slow, Tokio));
    let (mut settled, mut charged) = (0, 0);
    for polls in 0..1000 {
        let mut request = request(
            r#"{"model":"m","user":"7","stream":true,"messages":[{"role":"user","content":"Hello!"}]}"#,
        );
        let script = r#"{"default":{"tokens":20}}"#.parse().unwrap();
        request.headers_mut().insert("x-simulation", script);
        let record = Record::of(request.extensions_mut());
        let stack = stack.clone();
        let call = AtMost(
            Box::pin(async move {
                let answer = stack.oneshot(request).await.unwrap();
                answer.into_body().collect().await.unwrap();
            }),
            polls,
        );
        let ended = call.await.is_some();
        let facts: Vec<Arc<Charged>> = record.all();
        assert!(
            facts.len() <= 1,
            "after {polls} polls it was settled {} times",
            facts.len()
        );
        for fact in facts {
            settled += 1;
            charged += fact.charges.iter().map(|charge| charge.used).sum::<u64>();
        }
        if ended {
            return (settled, charged);
        }
    }
    panic!("it does not end");
}

#[tokio::test(start_paused = true)]
async fn in_memory_every_call_is_settled_once() {
    let store = MemoryStore::with_clock(Tokio, 10);
    let (settled, charged) = drop_everywhere(store.clone()).await;
    assert!(settled > 15, "{settled}");
    let key = Key::new("b", [None::<&str>; 0]);
    let left = store.left(&key, &limit()).unwrap().remaining;
    assert_eq!(left, 1_000_000 - charged);
}

#[cfg(feature = "redis")]
#[tokio::test]
#[ignore = "needs a Redis"]
#[expect(
    clippy::disallowed_methods,
    reason = "the test command says where its Redis is"
)]
async fn in_redis_every_call_is_settled_once() {
    use aigw_policies::budget::{
        Claim, Verdict,
        redis::{Config, OnError, RedisStore},
    };

    let url = std::env::var("AIGW_TEST_REDIS_URL").expect("a Redis: run `cargo xtask test`");
    let client = redis::Client::open(url).unwrap();
    let connection = client.get_multiplexed_async_connection().await.unwrap();
    let since = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap();
    let namespace = format!("test-{}-{}", std::process::id(), since.as_nanos());
    let config = Config::try_new(namespace, OnError::Deny).unwrap();
    let config = config.deadline(Duration::from_secs(20));
    let (store, driver) = RedisStore::new(connection, Tokio, config);
    tokio::spawn(driver);
    let (settled, charged) = drop_everywhere(store.clone()).await;
    assert!(settled > 15, "{settled}");
    store.flush().await;
    let claim = Claim {
        key: Key::new("b", [None::<&str>; 0]),
        limit: limit(),
        amount: 0,
    };
    let Verdict::Admitted(holds) = store.reserve(vec![claim]).await else {
        panic!("nothing is asked");
    };
    assert_eq!(holds[0].left().unwrap().remaining, 1_000_000 - charged);
    let stats = store.stats();
    assert_eq!((stats.dropped, stats.in_doubt, stats.undecided), (0, 0, 0));
    store.settle(holds, &[0]);
}
