use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant, SystemTime},
};

use ::redis::{
    Cmd, Pipeline, RedisFuture, Value,
    aio::{ConnectionLike, MultiplexedConnection},
};
use aigw_core::{
    observe::Event,
    rt::{Clock, Tokio},
};
use tokio::task::JoinHandle;

use super::*;
use crate::budget::{
    Align, Claim, Hold, Key, Left, Limit, MemoryStore, Period, Quota, Rate, Store, Timestamp,
    Verdict,
};

type Redis = RedisStore<MultiplexedConnection, Tokio>;

#[expect(
    clippy::disallowed_methods,
    reason = "the test command says where its Redis is"
)]
async fn connection() -> MultiplexedConnection {
    let url = std::env::var("AIGW_TEST_REDIS_URL").expect("a Redis: run `cargo xtask test`");
    let client = ::redis::Client::open(url).unwrap();
    client.get_multiplexed_async_connection().await.unwrap()
}

/// A store in a namespace that nobody else has.
async fn store(on_error: OnError) -> (Redis, JoinHandle<()>) {
    let (store, driver) = RedisStore::new(connection().await, Tokio, config(on_error));
    (store, tokio::spawn(driver))
}

fn config(on_error: OnError) -> Config {
    static NEXT: Mutex<u32> = Mutex::new(0);
    let number = {
        let mut next = NEXT.lock().unwrap();
        *next += 1;
        *next
    };
    let since = SystemTime::UNIX_EPOCH.elapsed().unwrap().as_nanos();
    let namespace = format!("test-{}-{since}-{number}", std::process::id());
    let config = Config::try_new(namespace, on_error).unwrap();
    config.deadline(Duration::from_secs(5))
}

/// A connection that can be cut.
#[derive(Clone)]
struct Cut(MultiplexedConnection, Arc<AtomicBool>);

impl ConnectionLike for Cut {
    fn req_packed_command<'a>(&'a mut self, cmd: &'a Cmd) -> RedisFuture<'a, Value> {
        if self.1.load(Ordering::Relaxed) {
            let error = std::io::Error::from(std::io::ErrorKind::ConnectionReset);
            return Box::pin(async { Err(error.into()) });
        }
        self.0.req_packed_command(cmd)
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        pipeline: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        self.0.req_packed_commands(pipeline, offset, count)
    }

    fn get_db(&self) -> i64 {
        self.0.get_db()
    }
}

/// A store that has been asked once and is cut off, and what it tells.
struct Outage {
    store: RedisStore<Cut, Tokio>,
    is_cut: Arc<AtomicBool>,
    events: Arc<Mutex<Vec<&'static str>>>,
}

impl Outage {
    async fn begin(on_error: OnError) -> Self {
        let (is_cut, events) = (
            Arc::<AtomicBool>::default(),
            Arc::<Mutex<Vec<_>>>::default(),
        );
        let seen = Arc::clone(&events);
        let observe = move |event: &Event<'_>| seen.lock().unwrap().push(event.as_str());
        let cut = Cut(connection().await, Arc::clone(&is_cut));
        let (store, driver) = RedisStore::with_observe(cut, Tokio, config(on_error), observe);
        tokio::spawn(driver);
        let outage = Self {
            store,
            is_cut,
            events,
        };
        assert!(matches!(outage.ask(1).await, Verdict::Admitted(_)));
        outage.is_cut.store(true, Ordering::Relaxed);
        outage
    }

    async fn ask(&self, amount: u64) -> Verdict {
        let quota = Quota::try_new(100, Period::Year, Align::Utc).unwrap();
        let claims = vec![claim("q", "k", quota, amount)];
        self.store.reserve(claims).await
    }

    /// Until Redis decides again.
    async fn end(&self) {
        self.is_cut.store(false, Ordering::Relaxed);
        while self.store.stats().is_lost {
            tokio::task::yield_now().await;
        }
    }

    fn events(&self) -> Vec<&'static str> {
        self.events.lock().unwrap().clone()
    }
}

fn claim(budget: &str, key: &str, limit: impl Into<Limit>, amount: u64) -> Claim {
    Claim {
        key: Key::new(budget, [Some(key)]),
        limit: limit.into(),
        amount,
    }
}

fn rate(amount: u64, seconds: u64) -> Rate {
    Rate::try_new(amount, Duration::from_secs(seconds)).unwrap()
}

/// A clock that stands still until it is set.
#[derive(Clone)]
struct Still(Instant, Arc<Mutex<Timestamp>>);

const T0: u64 = 1_700_000_000_000_000;

impl Still {
    fn new() -> Self {
        Self(
            Instant::now(),
            Arc::new(Mutex::new(Timestamp::from_micros(T0))),
        )
    }
}

impl Clock for Still {
    fn now(&self) -> Instant {
        self.0 + Duration::from_micros(self.1.lock().unwrap().as_micros() - T0)
    }

    fn wall(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_micros(self.1.lock().unwrap().as_micros())
    }
}

/// Numbers that look random and are the same each time.
struct Chance(u64);

impl Chance {
    fn below(&mut self, most: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (self.0 >> 33) % most
    }
}

#[derive(Debug, PartialEq)]
enum Told {
    Admitted(Vec<Option<Left>>),
    Refused(usize, Option<Duration>, Left),
}

fn told(verdict: &Verdict) -> Told {
    match verdict {
        Verdict::Admitted(holds) => Told::Admitted(holds.iter().map(Hold::left).collect()),
        Verdict::Refused(it) => Told::Refused(it.claim, it.wait, it.left),
        Verdict::Unavailable(_) => panic!("Redis does not answer"),
    }
}

#[tokio::test]
#[ignore = "needs a Redis"]
async fn redis_and_memory_come_to_the_same_verdicts() {
    for seed in 0..8 {
        agree(seed).await;
    }
}

async fn agree(seed: u64) {
    let mut chance = Chance(seed);
    let (redis, _driver) = store(OnError::Deny).await;
    let clock = Still::new();
    let memory = MemoryStore::with_clock(clock.clone(), 1000);
    let quota = |amount, period, align| Limit::from(Quota::try_new(amount, period, align).unwrap());
    let limits = [
        Limit::from(rate(1000, 60)),
        Limit::from(rate(7, 13)),
        quota(5000, Period::Hour, Align::Utc),
        quota(3000, Period::Day, Align::Utc),
        quota(4000, Period::Week, Align::Utc),
        quota(50_000, Period::Month, Align::Utc),
        quota(60_000, Period::Year, Align::Utc),
        quota(9000, Period::Hour, Align::Rolling),
        quota(20_000, Period::Day, Align::Rolling),
    ];
    let mut open = Vec::new();
    for step in 0..400 {
        let pause = [
            0,
            1,
            999,
            1_000_000,
            40_000_000,
            9_000_000_000,
            2_000_000_000_000,
        ];
        let now = clock.1.lock().unwrap().after(Duration::from_micros(
            chance.below(2) * pause[chance.below(7) as usize],
        ));
        *clock.1.lock().unwrap() = now;
        *redis.shared().time.lock().unwrap() = Some(now);
        if chance.below(3) == 0 && !open.is_empty() {
            let (ours, theirs): (Vec<Hold>, Vec<Hold>) =
                open.swap_remove(chance.below(open.len() as u64) as usize);
            let used: Vec<_> = ours
                .iter()
                .map(|it| it.amount() * chance.below(20) / 10)
                .collect();
            memory.settle(ours, &used);
            redis.settle(theirs, &used);
            redis.flush().await;
            continue;
        }
        let claims: Vec<_> = (0..=chance.below(3))
            .map(|_| {
                let budget = chance.below(limits.len() as u64) as usize;
                let limit = limits[budget];
                let amount = limit.amount() * chance.below(12) / 20;
                let key = ["a", "b"][chance.below(2) as usize];
                claim(&format!("budget-{budget}"), key, limit, amount)
            })
            .collect();
        let (mut ours, mut theirs) = (
            memory.reserve_now(claims.clone()),
            redis.reserve(claims.clone()).await,
        );
        assert_eq!(
            told(&theirs),
            told(&ours),
            "seed {seed}, step {step}: {claims:?}"
        );
        if let (Verdict::Admitted(ours), Verdict::Admitted(theirs)) = (&mut ours, &mut theirs) {
            let more: Vec<_> = ours
                .iter()
                .map(|_| chance.below(8) / 5 * chance.below(100))
                .collect();
            memory.extend(ours, &more);
            redis.extend(theirs, &more);
            redis.flush().await;
            open.push((std::mem::take(ours), std::mem::take(theirs)));
        }
    }
    assert_eq!(redis.stats().lost, 0);
}

#[tokio::test]
#[ignore = "needs a Redis"]
async fn many_clients_are_admitted_no_more_than_the_limit() {
    let (redis, _driver) = store(OnError::Deny).await;
    let limit = Quota::try_new(1000, Period::Year, Align::Utc).unwrap();
    let mut clients = tokio::task::JoinSet::new();
    for _ in 0..64 {
        let redis = redis.clone();
        clients.spawn(async move {
            let mut used = 0;
            for _ in 0..20 {
                if let Verdict::Admitted(holds) =
                    redis.reserve(vec![claim("q", "k", limit, 10)]).await
                {
                    redis.settle(holds, &[3]);
                    used += 3;
                }
            }
            used
        });
    }
    let used: u64 = clients.join_all().await.into_iter().sum();
    redis.flush().await;
    assert!(used > 300, "{used}");
    let Verdict::Admitted(holds) = redis.reserve(vec![claim("q", "k", limit, 0)]).await else {
        panic!("nothing is asked");
    };
    assert_eq!(holds[0].left().unwrap().remaining, 1000 - used);
}

#[tokio::test]
#[ignore = "needs a Redis"]
async fn three_processes_share_one_limit() {
    let config = config(OnError::Deny);
    let mut processes = Vec::new();
    for number in 1..=3 {
        let (redis, driver) = RedisStore::new(connection().await, Tokio, config.clone());
        tokio::spawn(driver);
        // The last to come knows of all.
        while redis.stats().processes < number {
            tokio::task::yield_now().await;
        }
        processes.push(redis);
    }
    let limit = Quota::try_new(100, Period::Year, Align::Utc).unwrap();
    let mut calls = tokio::task::JoinSet::new();
    for redis in processes.iter().cycle().take(60) {
        let redis = redis.clone();
        calls.spawn(async move { redis.reserve(vec![claim("q", "k", limit, 10)]).await });
    }
    let verdicts = calls.join_all().await;
    let is_admitted = |verdict: &&Verdict| matches!(verdict, Verdict::Admitted(_));
    assert_eq!(verdicts.iter().filter(is_admitted).count(), 10);
}

#[tokio::test]
#[ignore = "needs a Redis"]
async fn a_decision_that_nobody_waits_for_is_given_back() {
    let (redis, driver) = store(OnError::Deny).await;
    let limit = Quota::try_new(1000, Period::Year, Align::Utc).unwrap();
    for polls in 0..4 {
        let mut reserving = Box::pin(redis.reserve(vec![claim("q", "k", limit, 500)]));
        for _ in 0..polls {
            let _ = std::future::poll_fn(|cx| std::task::Poll::Ready(reserving.as_mut().poll(cx)))
                .await;
        }
        drop(reserving);
        redis.flush().await;
        let Verdict::Admitted(holds) = redis.reserve(vec![claim("q", "k", limit, 1000)]).await
        else {
            panic!("something is held after {polls} polls");
        };
        redis.settle(holds, &[0]);
        redis.flush().await;
    }
    drop(redis);
    driver.await.unwrap();
}

#[tokio::test]
#[ignore = "needs a Redis"]
async fn while_redis_does_not_answer_calls_are_refused_where_so_chosen() {
    let outage = Outage::begin(OnError::Deny).await;
    for _ in 0..2 {
        assert!(matches!(outage.ask(1).await, Verdict::Unavailable(_)));
    }
    assert_eq!(outage.events(), ["store_lost"]);
    outage.end().await;
    assert!(matches!(outage.ask(1).await, Verdict::Admitted(_)));
    assert_eq!(outage.events(), ["store_lost", "store_found"]);
    let stats = outage.store.stats();
    assert_eq!((stats.decided, stats.undecided), (2, 2));
}

#[tokio::test]
#[ignore = "needs a Redis"]
async fn what_is_used_of_a_quota_in_an_outage_counts_when_it_is_over() {
    let outage = Outage::begin(OnError::Allow).await;
    for _ in 0..3 {
        // More than there is: nobody knows.
        let Verdict::Admitted(holds) = outage.ask(1000).await else {
            panic!("everything is allowed");
        };
        assert_eq!(holds[0].left(), None);
        outage.store.settle(holds, &[20]);
    }
    outage.end().await;
    // Of 100, 1 is held since before.
    let Verdict::Refused(refused) = outage.ask(40).await else {
        panic!("60 were used");
    };
    assert_eq!(refused.left.remaining, 39);
}

#[tokio::test]
#[ignore = "needs a Redis"]
async fn in_an_outage_each_process_has_its_share() {
    let outage = Outage::begin(OnError::Local).await;
    // As if three others had been seen.
    outage.store.shared().set_processes(4);
    assert!(matches!(outage.ask(26).await, Verdict::Unavailable(_)));
    assert!(matches!(outage.ask(101).await, Verdict::Refused(_)));
    let Verdict::Admitted(holds) = outage.ask(25).await else {
        panic!("a fourth of 100");
    };
    assert_eq!(holds[0].claim().limit.amount(), 100);
    assert!(matches!(outage.ask(1).await, Verdict::Refused(_)));
    outage.store.settle(holds, &[5]);
    assert!(matches!(outage.ask(20).await, Verdict::Admitted(_)));
}

#[tokio::test]
#[ignore = "needs a Redis"]
async fn a_server_that_forgot_gives_nothing_back_that_was_taken_before() {
    let (redis, _driver) = store(OnError::Deny).await;
    let limit = rate(100, 3600);
    let ask = |amount| redis.reserve(vec![claim("r", "k", limit, amount)]);
    let Verdict::Admitted(before) = ask(60).await else {
        panic!("60 of 100");
    };
    let key = redis.shared().keys.level(before[0].claim().key.as_str());
    let mut connection = connection().await;
    ::redis::cmd("DEL")
        .arg(key)
        .exec_async(&mut connection)
        .await
        .unwrap();
    let Verdict::Admitted(_after) = ask(100).await else {
        panic!("one further bucket");
    };
    redis.settle(before, &[0]);
    redis.flush().await;
    assert!(matches!(ask(1).await, Verdict::Refused(_)));
}
