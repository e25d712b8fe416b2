//! A rate in memory: governor's algorithm over levels of ours, which are bounded.

use std::{
    num::NonZeroU32,
    sync::Arc,
    time::{Duration, Instant},
};

use aigw_core::rt::Clock;
use governor::{
    Quota, RateLimiter, clock, middleware::StateInformationMiddleware, nanos::Nanos,
    state::StateStore,
};

use super::ConfigError;
use crate::budget::{
    Left, Rate,
    shards::{Id, IdMap, Shards, lock},
};

/// Decides over requests, at once.
pub(super) trait Decide: Send + Sync {
    /// Admits a request of this key, and tells what is left; or else how long it has to wait.
    fn decide(&self, key: &str) -> Result<Left, (Duration, Left)>;

    /// What is left of a key.
    fn left(&self, key: &str) -> Left;

    /// The same levels under another rate: as much is left of each as was. This one must not be
    /// asked any more.
    fn changed(&self, rate: &Rate) -> Result<Arc<dyn Decide>, ConfigError>;
}

/// A rate by key.
pub(super) struct Gcra<C: Clock> {
    limiter: RateLimiter<Id, Levels<C>, Since<C>, StateInformationMiddleware>,
    /// The limiter's own.
    levels: Levels<C>,
    interval: Duration,
    burst: NonZeroU32,
}

impl<C: Clock> Gcra<C> {
    pub(super) fn try_new(rate: &Rate, clock: C, max_keys: usize) -> Result<Self, ConfigError> {
        Self::over(Arc::new(Shards::new(max_keys, Shard::new)), clock, rate)
    }

    fn over(shards: Arc<Shards<Shard>>, clock: C, rate: &Rate) -> Result<Self, ConfigError> {
        let too_many = ConfigError::TooMany(rate.amount());
        let burst = u32::try_from(rate.amount()).ok().and_then(NonZeroU32::new);
        let burst = burst.ok_or_else(|| too_many.clone())?;
        // Rounded up: a limit must not be exceeded by what is cut off.
        let nanos = rate.per().as_nanos().div_ceil(u128::from(burst.get()));
        let interval = Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX));
        let quota = Quota::with_period(interval).ok_or(too_many)?;
        let since = Since {
            begin: clock.now(),
            clock,
        };
        let levels = Levels {
            shards,
            since: since.clone(),
        };
        Ok(Self {
            limiter: RateLimiter::new(quota.allow_burst(burst), levels.clone(), since),
            levels,
            interval,
            burst,
        })
    }

    #[cfg(test)]
    pub(super) fn keys(&self) -> usize {
        self.levels.shards.sum(|shard| shard.levels.len())
    }
}

impl<C: Clock> Decide for Gcra<C> {
    fn decide(&self, key: &str) -> Result<Left, (Duration, Left)> {
        let id = self.levels.shards.id(key);
        let checked = self.limiter.check_key(&id);
        let now = clock::Clock::now(self.limiter.clock());
        match checked {
            Ok(state) => Ok(Left {
                remaining: state.remaining_burst_capacity().into(),
                // The limiter does not tell, and what it has stored may be later by another request.
                reset: self.levels.full(id).saturating_sub(now),
            }),
            Err(not_until) => {
                let wait = not_until.wait_time_from(now);
                let left = Left {
                    remaining: 0,
                    reset: wait + self.interval * (self.burst.get() - 1),
                };
                Err((wait, left))
            }
        }
    }

    fn left(&self, key: &str) -> Left {
        let now = clock::Clock::now(self.limiter.clock());
        let reset = self.levels.full(self.levels.shards.id(key));
        let reset = reset.saturating_sub(now);
        let missing = reset.as_nanos().div_ceil(self.interval.as_nanos().max(1));
        let remaining = u128::from(self.burst.get()).saturating_sub(missing);
        Left {
            remaining: u64::try_from(remaining).unwrap_or_default(),
            reset,
        }
    }

    fn changed(&self, rate: &Rate) -> Result<Arc<dyn Decide>, ConfigError> {
        let Levels { shards, since } = &self.levels;
        let new = Self::over(Arc::clone(shards), since.clock.clone(), rate)?;
        let now = clock::Clock::now(since).as_nanos();
        let of = |gcra: &Self| {
            let interval = gcra.interval.as_nanos().max(1);
            (u128::from(gcra.burst.get()) * interval, interval)
        };
        let ((full, interval), (new_full, new_interval)) = (of(self), of(&new));
        self.levels.change(|until| {
            let missing = u128::from(until).saturating_sub(now);
            let left = full.saturating_sub(missing) * new_interval / interval;
            // The new one counts from now on.
            u64::try_from(new_full.saturating_sub(left)).unwrap_or(u64::MAX)
        });
        Ok(Arc::new(new))
    }
}

/// A clock of ours as governor wants it.
#[derive(Clone)]
struct Since<C> {
    begin: Instant,
    clock: C,
}

impl<C: Clock> clock::Clock for Since<C> {
    type Instant = Duration;

    fn now(&self) -> Duration {
        self.clock.now().saturating_duration_since(self.begin)
    }
}

/// The levels of all keys, as governor counts them: the time at which each has its whole limit
/// again.
#[derive(Clone)]
struct Levels<C> {
    shards: Arc<Shards<Shard>>,
    since: Since<C>,
}

struct Shard {
    levels: IdMap<Nanos>,
    /// That of all keys for which there was no room.
    shared: Option<Nanos>,
    capacity: usize,
    /// Looking for keys to forget is not worth it before.
    sweep: Duration,
}

/// How often a full shard is looked through for keys to forget, and how long a key has had its whole
/// limit then: governor counts from a moment after we do.
const SWEEP: Duration = Duration::from_secs(1);

impl Shard {
    fn new(capacity: usize) -> Self {
        Self {
            levels: IdMap::default(),
            shared: None,
            capacity,
            sweep: Duration::ZERO,
        }
    }

    fn has_room(&mut self, now: Duration) -> bool {
        if self.levels.len() >= self.capacity && now >= self.sweep {
            let in_use = |full: &Nanos| Duration::from_nanos(full.as_u64()) + SWEEP > now;
            self.levels.retain(|_, full| in_use(full));
            self.shared = self.shared.filter(in_use);
            self.sweep = now + SWEEP;
        }
        self.levels.len() < self.capacity
    }
}

impl<C> Levels<C> {
    /// Changes when keys have their whole limits again.
    fn change(&self, full: impl Fn(u64) -> u64) {
        self.shards.each(|mut shard| {
            shard.sweep = Duration::ZERO;
            let Shard { levels, shared, .. } = &mut *shard;
            for level in levels.values_mut().chain(shared) {
                *level = full(level.as_u64()).into();
            }
        });
    }

    /// When a key has its whole limit again.
    fn full(&self, id: Id) -> Duration {
        let shard = lock(self.shards.place(id).shard);
        let level = shard.levels.get(&id).copied().or(shard.shared);
        level.map_or(Duration::ZERO, Duration::from)
    }
}

impl<C: Clock> StateStore for Levels<C> {
    type Key = Id;

    fn measure_and_replace<T, F, E>(&self, id: &Id, decide: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        let mut shard = lock(self.shards.place(*id).shard);
        if let Some(level) = shard.levels.get_mut(id) {
            let (told, next) = decide(Some(*level))?;
            *level = next;
            return Ok(told);
        }
        // A new key begins with the level that it may have shared until now.
        let (told, next) = decide(shard.shared)?;
        if shard.has_room(clock::Clock::now(&self.since)) {
            shard.levels.insert(*id, next);
        } else {
            shard.shared = Some(next);
        }
        Ok(told)
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::atomic::{AtomicU64, Ordering::Relaxed},
        time::SystemTime,
    };

    use super::*;
    use crate::budget::{Claim, Key, MemoryStore, Store, Verdict};

    /// A clock that is set by hand, in microseconds.
    #[derive(Clone)]
    struct ByHand(Instant, Arc<AtomicU64>);

    impl ByHand {
        fn new() -> Self {
            Self(Instant::now(), Arc::default())
        }

        fn pass(&self, time: Duration) {
            self.1.fetch_add(time.as_micros() as u64, Relaxed);
        }

        fn since(&self) -> Duration {
            Duration::from_micros(self.1.load(Relaxed))
        }
    }

    impl Clock for ByHand {
        fn now(&self) -> Instant {
            self.0 + self.since()
        }

        fn wall(&self) -> SystemTime {
            SystemTime::UNIX_EPOCH + self.since()
        }
    }

    fn rate(amount: u64, seconds: u64) -> Rate {
        Rate::try_new(amount, Duration::from_secs(seconds)).unwrap()
    }

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_burst_is_admitted_and_then_one_after_each_interval() {
        let clock = ByHand::new();
        let gcra = Gcra::try_new(&rate(50, 1), clock.clone(), 100).unwrap();
        for left in (0..50).rev() {
            assert_eq!(gcra.decide("a").unwrap().remaining, left);
        }
        let (wait, left) = gcra.decide("a").unwrap_err();
        assert_eq!(wait, Duration::from_millis(20));
        assert_eq!((left.remaining, left.reset), (0, SECOND));
        assert!(gcra.decide("b").is_ok());
        clock.pass(wait - Duration::from_micros(1));
        assert!(gcra.decide("a").is_err());
        clock.pass(Duration::from_micros(1));
        assert!(gcra.decide("a").is_ok() && gcra.decide("a").is_err());
    }

    #[test]
    fn it_comes_to_the_verdicts_of_the_bucket() {
        // Intervals of whole microseconds, which both can count.
        for (seed, (amount, seconds)) in [(50, 1), (3, 60), (1000, 10), (1, 5)]
            .into_iter()
            .enumerate()
        {
            let (clock, limit) = (ByHand::new(), rate(amount, seconds));
            let gcra = Gcra::try_new(&limit, clock.clone(), 100).unwrap();
            let bucket = MemoryStore::with_clock(clock.clone(), 100);
            let mut chance = seed as u64;
            let mut below = |most: u64| {
                chance = chance
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1);
                (chance >> 33) % most
            };
            let (mut admitted, mut refused) = (0, 0);
            for step in 0..20_000 {
                let interval = 1_000_000 * seconds / amount;
                if below(8) == 0 {
                    clock.pass(Duration::from_micros(below(2 * interval)));
                }
                let key = ["a", "b"][below(2) as usize];
                let claims = vec![Claim {
                    key: Key::new("r", [Some(key)]),
                    limit: limit.into(),
                    amount: 1,
                }];
                match (gcra.decide(key), bucket.reserve_now(claims)) {
                    (Ok(left), Verdict::Admitted(holds)) => {
                        assert_eq!(Some(left), holds[0].left(), "{limit}, step {step}");
                        admitted += 1;
                    }
                    (Err((wait, left)), Verdict::Refused(other)) => {
                        assert_eq!(Some(wait), other.wait, "{limit}, step {step}");
                        assert_eq!(left, other.left, "{limit}, step {step}");
                        refused += 1;
                    }
                    (one, other) => panic!("{limit}, step {step}: {one:?}, {other:?}"),
                }
            }
            assert!(
                admitted > 1000 && refused > 1000,
                "{limit}: {admitted}, {refused}"
            );
        }
    }

    #[test]
    fn a_rate_that_is_changed_leaves_as_much_as_was_as_the_bucket_does() {
        for (before, after) in [
            (rate(10, 60), rate(100, 60)),
            (rate(100, 60), rate(10, 60)),
            (rate(10, 60), rate(10, 600)),
        ] {
            let clock = ByHand::new();
            let gcra = Gcra::try_new(&before, clock.clone(), 100).unwrap();
            let bucket = MemoryStore::with_clock(clock.clone(), 100);
            let key = Key::new("r", [Some("a")]);
            let take = |gcra: &dyn Decide, limit: &Rate| {
                let (limit, amount) = ((*limit).into(), 1);
                let key = key.clone();
                let claims = vec![Claim { key, limit, amount }];
                match (gcra.decide("a"), bucket.reserve_now(claims)) {
                    (Ok(left), Verdict::Admitted(holds)) => assert_eq!(Some(left), holds[0].left()),
                    (Err((wait, left)), Verdict::Refused(other)) => {
                        assert_eq!((Some(wait), left), (other.wait, other.left));
                    }
                    (one, other) => panic!("{before} to {after}: {one:?}, {other:?}"),
                }
            };
            for _ in 0..4 {
                take(&gcra, &before);
                clock.pass(SECOND);
            }
            let gcra = gcra.changed(&after).unwrap();
            let left = bucket.left(&key, &after.into()).unwrap();
            assert_eq!(gcra.left("a"), left, "{before} to {after}");
            for _ in 0..120 {
                take(&*gcra, &after);
                clock.pass(SECOND / 2);
            }
        }
    }

    #[test]
    fn what_is_cut_off_of_an_interval_admits_nothing_more() {
        let clock = ByHand::new();
        let gcra = Gcra::try_new(&rate(7, 13), clock.clone(), 100).unwrap();
        let mut admitted = 0;
        for _ in 0..13_000 {
            clock.pass(Duration::from_millis(10));
            while gcra.decide("a").is_ok() {
                admitted += 1;
            }
        }
        // 130 seconds: the first burst and what flows in.
        assert!((75..=77).contains(&admitted), "{admitted}");
    }

    #[test]
    fn made_up_keys_take_no_more_room_and_idle_ones_make_some() {
        let clock = ByHand::new();
        let gcra = Gcra::try_new(&rate(2, 10), clock.clone(), 1000).unwrap();
        let admitted = (0..100_000).filter(|key| gcra.decide(&key.to_string()).is_ok());
        // Those without room share a level in each of the shards.
        let admitted = admitted.count();
        assert!((1000..1000 + 3 * 64 * 2).contains(&admitted), "{admitted}");
        assert!(
            gcra.keys() <= 64 * 1000_usize.div_ceil(64),
            "{}",
            gcra.keys()
        );
        // All of them have their whole limit again, and make room for others: so few that none of the
        // shards, which are chosen by chance, gets more than it has room for.
        clock.pass(12 * SECOND);
        let new = (0..100).map(|key| format!("new {key}"));
        let own = new.filter(|key| gcra.decide(key).unwrap().remaining == 1);
        assert_eq!(own.count(), 100);
        assert!(gcra.keys() < 1000, "{}", gcra.keys());
    }

    #[test]
    fn parallel_requests_are_admitted_no_more_than_the_limit() {
        let gcra = Arc::new(Gcra::try_new(&rate(100, 3600), ByHand::new(), 10).unwrap());
        let threads: Vec<_> = (0..8)
            .map(|_| {
                let gcra = Arc::clone(&gcra);
                std::thread::spawn(move || (0..100).filter(|_| gcra.decide("k").is_ok()).count())
            })
            .collect();
        let admitted: usize = threads.into_iter().map(|it| it.join().unwrap()).sum();
        assert_eq!(admitted, 100);
    }

    #[test]
    fn a_rate_that_cannot_be_counted_is_an_error() {
        let error = Gcra::try_new(&rate(1 << 32, 1), ByHand::new(), 1).err();
        assert_eq!(error, Some(ConfigError::TooMany(1 << 32)));
        assert!(Gcra::try_new(&rate(u32::MAX.into(), 1), ByHand::new(), 1).is_ok());
    }
}
