//! Servers that stand still, die and come back, and clocks that differ.

use aigw_core::rt::Timer;
use tokio::task::JoinSet;

use super::{
    agreement::Chance,
    server::{NEWEST, Server},
    *,
};

/// A quota, and clients who use it as long as they are told to.
struct Load {
    store: RedisStore<Tokio>,
    over: Arc<AtomicBool>,
    clients: JoinSet<u64>,
}

const ALL_OF_IT: u64 = 1_000_000;

fn year() -> Quota {
    Quota::try_new(ALL_OF_IT, Period::Year, Align::Utc).unwrap()
}

impl Load {
    async fn begin(server: &Server) -> Self {
        let config = config(OnError::Deny).deadline(Duration::from_millis(100));
        let (store, driver) = RedisStore::new(server.connection().await, Tokio, config);
        tokio::spawn(driver);
        let (over, mut clients) = (Arc::<AtomicBool>::default(), JoinSet::new());
        for client in 0..16 {
            let (store, over) = (store.clone(), Arc::clone(&over));
            clients.spawn(async move {
                let mut used = 0;
                let mut chance = Chance(client);
                while !over.load(Ordering::Relaxed) {
                    let claims = vec![claim("q", "k", year(), 10)];
                    match store.reserve(claims).await {
                        Verdict::Admitted(holds) => {
                            let use_now = chance.below(15);
                            store.settle(holds, &[use_now]);
                            used += use_now;
                        }
                        Verdict::Unavailable(_) => tokio::task::yield_now().await,
                        Verdict::Refused(refused) => panic!("{refused:?}"),
                    }
                }
                used
            });
        }
        Self {
            store,
            over,
            clients,
        }
    }

    /// Until so many further decisions were made.
    async fn go_on(&self, decisions: u64) {
        let until = self.store.stats().decided + decisions;
        while self.store.stats().decided < until {
            tokio::task::yield_now().await;
        }
    }

    async fn until_lost(&self) {
        while !self.store.stats().is_lost {
            tokio::task::yield_now().await;
        }
    }

    /// Ends it, and answers what was used and what stands on the server.
    async fn end(self) -> (u64, u64, Stats) {
        self.over.store(true, Ordering::Relaxed);
        let used = self.clients.join_all().await.into_iter().sum();
        self.store.flush().await;
        let stats = self.store.stats();
        while self.store.stats().is_lost {
            tokio::task::yield_now().await;
        }
        let Verdict::Admitted(holds) = self.store.reserve(vec![claim("q", "k", year(), 0)]).await
        else {
            panic!("nothing is asked");
        };
        let counted = ALL_OF_IT - holds[0].left().unwrap().remaining;
        (used, counted, stats)
    }
}

#[tokio::test]
#[ignore = "needs servers of Redis"]
async fn a_server_that_stands_still_counts_everything_once() {
    let server = Server::start(NEWEST, &[]).await;
    let load = Load::begin(&server).await;
    for _ in 0..3 {
        load.go_on(300).await;
        server.pause();
        load.until_lost().await;
        server.resume();
    }
    load.go_on(300).await;
    let (used, counted, stats) = load.end().await;
    assert_eq!((stats.in_doubt, stats.dropped), (0, 0));
    assert_eq!(counted, used);
}

#[tokio::test]
#[ignore = "needs servers of Redis"]
async fn a_server_that_is_killed_and_kept_its_data_counts_nothing_twice() {
    let kept = ["--appendonly", "yes", "--appendfsync", "always"];
    let mut server = Server::start(NEWEST, &kept).await;
    let load = Load::begin(&server).await;
    for _ in 0..3 {
        load.go_on(300).await;
        server.kill();
        load.until_lost().await;
        server.restart().await;
    }
    load.go_on(300).await;
    let (used, counted, stats) = load.end().await;
    assert_eq!((stats.dropped, stats.forgotten), (0, 0));
    // What it had decided and not said when it was killed stays taken.
    let doubt = 10 * stats.in_doubt;
    assert!(
        (used..=used + doubt).contains(&counted),
        "{used} used, {counted} counted, {doubt} in doubt"
    );
}

#[tokio::test]
#[ignore = "needs servers of Redis"]
async fn a_server_that_lost_its_data_gives_each_limit_out_once_more() {
    let mut server = Server::start(NEWEST, &[]).await;
    let events = Arc::<Mutex<Vec<_>>>::default();
    let seen = Arc::clone(&events);
    let observe = move |event: &Event<'_>| seen.lock().unwrap().push(event.as_str());
    let connection = server.connection().await;
    let (store, driver) =
        RedisStore::with_observe(connection, Tokio, config(OnError::Deny), observe);
    tokio::spawn(driver);
    let quota = Quota::try_new(100, Period::Year, Align::Utc).unwrap();
    let mut used = 0;
    for times in 1..=3 {
        loop {
            match store.reserve(vec![claim("q", "k", quota, 10)]).await {
                Verdict::Admitted(holds) => {
                    store.settle(holds, &[10]);
                    used += 10;
                }
                Verdict::Refused(_) => break,
                Verdict::Unavailable(_) => tokio::task::yield_now().await,
            }
        }
        assert_eq!(used, times * 100);
        assert_eq!(store.stats().forgotten, times - 1);
        server.kill();
        while !store.stats().is_lost {
            let _ = store.reserve(vec![claim("q", "k", quota, 10)]).await;
        }
        server.restart().await;
        while store.stats().is_lost {
            tokio::task::yield_now().await;
        }
    }
    let one_time = ["store_lost", "store_forgot", "store_found"];
    assert_eq!(*events.lock().unwrap(), one_time.repeat(3));
}

/// A clock that goes wrong by this much.
#[derive(Clone)]
struct Skewed(i64);

impl Clock for Skewed {
    fn now(&self) -> Instant {
        Tokio.now()
    }

    fn wall(&self) -> SystemTime {
        let off = Duration::from_secs(self.0.unsigned_abs());
        match self.0 {
            ..0 => Tokio.wall() - off,
            _ => Tokio.wall() + off,
        }
    }
}

impl Timer for Skewed {
    type Sleep = <Tokio as Timer>::Sleep;

    fn sleep_until(&self, deadline: Instant) -> Self::Sleep {
        Tokio.sleep_until(deadline)
    }

    fn reset(&self, sleep: std::pin::Pin<&mut Self::Sleep>, deadline: Instant) {
        Tokio.reset(sleep, deadline);
    }
}

#[tokio::test]
#[ignore = "needs servers of Redis"]
async fn processes_whose_clocks_differ_share_one_limit() {
    let server = Server::start(NEWEST, &[]).await;
    let config = config(OnError::Deny);
    let limits: [Limit; 3] = [
        rate(100, 3600).into(),
        Quota::try_new(100, Period::Year, Align::Utc)
            .unwrap()
            .into(),
        Quota::try_new(100, Period::Hour, Align::Rolling)
            .unwrap()
            .into(),
    ];
    let mut stores = Vec::new();
    for skew in [-30, 0, 30] {
        let connection = server.connection().await;
        let (store, driver) = RedisStore::new(connection, Skewed(skew), config.clone());
        tokio::spawn(driver);
        stores.push(store);
    }
    for (number, limit) in limits.into_iter().enumerate() {
        let budget = format!("b{number}");
        let mut admitted = 0;
        for store in stores.iter().cycle().take(60) {
            let verdict = store.reserve(vec![claim(&budget, "k", limit, 10)]).await;
            admitted += u32::from(matches!(verdict, Verdict::Admitted(_)));
        }
        assert_eq!(admitted, 10, "{limit}");
    }
}
