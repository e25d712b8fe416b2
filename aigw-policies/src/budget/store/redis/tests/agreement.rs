//! One trace, both stores.

use super::*;

/// A clock that stands still until it is set.
#[derive(Clone)]
pub(super) struct Still(Instant, Arc<Mutex<Timestamp>>);

const T0: u64 = 1_700_000_000_000_000;

impl Still {
    pub(super) fn new() -> Self {
        Self(
            Instant::now(),
            Arc::new(Mutex::new(Timestamp::from_micros(T0))),
        )
    }

    pub(super) fn time(&self) -> Timestamp {
        *self.1.lock().unwrap()
    }

    pub(super) fn pass(&self, time: Duration) {
        let mut now = self.1.lock().unwrap();
        *now = now.after(time);
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
pub(super) struct Chance(pub(super) u64);

impl Chance {
    pub(super) fn below(&mut self, most: u64) -> u64 {
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
        agree(connection().await, seed).await;
    }
}

/// Plays a trace of chance, and compares what both stores say and have left.
pub(super) async fn agree<C>(connection: C, seed: u64)
where
    C: ConnectionLike + Clone + Send + Sync + 'static,
{
    let mut chance = Chance(seed);
    let (redis, driver) = RedisStore::new(connection, Tokio, config(OnError::Deny));
    tokio::spawn(driver);
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
        clock.pass(Duration::from_micros(
            chance.below(2) * pause[chance.below(7) as usize],
        ));
        *redis.shared().time.lock().unwrap() = Some(clock.time());
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
            if chance.below(4) == 0 {
                let most = chance.below(ours[0].claim().limit.amount() + 1);
                memory.lower(&ours[0], most);
                redis.lower(&theirs[0], most);
            }
            if chance.below(4) == 0 {
                let other = Key::new(ours[0].claim().key.budget(), [Some("a")]);
                let used = chance.below(ours[0].claim().limit.amount());
                memory.charge(&ours[0], other.clone(), used);
                redis.charge(&theirs[0], other, used);
            }
            redis.flush().await;
            open.push((std::mem::take(ours), std::mem::take(theirs)));
        }
    }
    assert_eq!(redis.stats().dropped, 0);
}
