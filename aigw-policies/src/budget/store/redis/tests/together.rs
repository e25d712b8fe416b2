//! Many decisions and corrections in one script.

use super::{
    agreement::{Chance, Still},
    *,
};

/// As `agree`, but with many calls in one script, and with limits that change.
#[tokio::test]
#[ignore = "needs a Redis"]
async fn many_at_once_under_limits_that_change_come_to_the_same_verdicts() {
    for seed in 0..40 {
        let mut chance = Chance(seed * 77 + 5);
        let (redis, driver) = RedisStore::new(connection().await, Tokio, config(OnError::Deny));
        tokio::spawn(driver);
        let clock = Still::new();
        let memory = MemoryStore::with_clock(clock.clone(), 1000);
        let quota =
            |amount, period, align| Limit::from(Quota::try_new(amount, period, align).unwrap());
        let budgets: [Vec<Limit>; 4] = [
            vec![
                rate(1000, 60).into(),
                rate(1000, 61).into(),
                rate(1000, 3607).into(),
            ],
            vec![rate(7, 13).into(), rate(7, 11).into(), rate(7, 14).into()],
            vec![
                quota(5000, Period::Hour, Align::Utc),
                quota(3000, Period::Day, Align::Utc),
                quota(4000, Period::Month, Align::Utc),
                quota(4000, Period::Week, Align::Utc),
            ],
            vec![
                quota(9000, Period::Hour, Align::Rolling),
                quota(8000, Period::Hour, Align::Rolling),
                quota(20_000, Period::Day, Align::Rolling),
            ],
        ];
        let mut open: Vec<(Vec<Hold>, Vec<Hold>)> = Vec::new();
        for step in 0..200 {
            let pause = [
                0,
                1,
                999,
                1_000_000,
                40_000_000,
                9_000_000_000,
                200_000_000_000,
            ];
            clock.pass(Duration::from_micros(
                chance.below(2) * pause[chance.below(7) as usize],
            ));
            *redis.shared().time.lock().unwrap() = Some(clock.time());
            // Several settlements at once.
            for _ in 0..chance.below(4) {
                if open.is_empty() {
                    break;
                }
                let (ours, theirs) = open.swap_remove(chance.below(open.len() as u64) as usize);
                let used: Vec<_> = ours
                    .iter()
                    .map(|it| it.amount() * chance.below(20) / 10)
                    .collect();
                memory.settle(ours, &used);
                redis.settle(theirs, &used);
            }
            redis.flush().await;
            // One limit per budget within a step, as a process has.
            let now: Vec<Limit> = budgets
                .iter()
                .map(|it| it[(seed % 4) as usize % it.len()])
                .collect();
            let calls: Vec<Vec<Claim>> = (0..=chance.below(9))
                .map(|_| {
                    (0..=chance.below(3))
                        .map(|_| {
                            let budget = chance.below(4) as usize;
                            let limit = now[budget];
                            let amount = limit.amount() * chance.below(12) / 20;
                            let key = ["a", "b"][chance.below(2) as usize];
                            claim(&format!("budget-{budget}"), key, limit, amount)
                        })
                        .collect()
                })
                .collect();
            let ours: Vec<_> = calls
                .iter()
                .map(|it| memory.reserve_now(it.clone()))
                .collect();
            let theirs: Vec<_> = calls
                .iter()
                .map(|it| tokio::spawn(redis.reserve(it.clone())))
                .collect();
            for (index, (ours, theirs)) in ours.into_iter().zip(theirs).enumerate() {
                let how = format!("seed {seed}, step {step}, call {index}: {:?}", calls[index]);
                let theirs = theirs.await.unwrap();
                match (ours, theirs) {
                    (Verdict::Admitted(ours), Verdict::Admitted(theirs)) => {
                        let left = |it: &Vec<Hold>| it.iter().map(Hold::left).collect::<Vec<_>>();
                        assert_eq!(left(&theirs), left(&ours), "{how}");
                        open.push((ours, theirs));
                    }
                    (Verdict::Refused(ours), Verdict::Refused(theirs)) => {
                        assert_eq!(theirs, ours, "{how}");
                    }
                    (ours, theirs) => panic!("{how}: {theirs:?}, {ours:?}"),
                }
            }
        }
        assert_eq!(redis.stats().dropped, 0);
    }
}

/// What has flowed back by itself is given back once more, where a settlement that fills the bucket
/// and a decision that empties it go in one script.
#[tokio::test]
#[ignore = "needs a Redis"]
async fn what_has_flowed_back_is_not_given_back_whatever_goes_together() {
    let mut left = Vec::new();
    for together in [false, true] {
        let (redis, driver) = RedisStore::new(connection().await, Tokio, config(OnError::Deny));
        tokio::spawn(driver);
        let clock = Still::new();
        let memory = MemoryStore::with_clock(clock.clone(), 1000);
        *redis.shared().time.lock().unwrap() = Some(clock.time());
        let limit = rate(100, 3600);
        let asks = |amount| vec![claim("r", "k", limit, amount)];
        let holds = |verdict| match verdict {
            Verdict::Admitted(holds) => holds,
            other => panic!("{other:?}"),
        };
        let (a, b) = (memory.reserve_now(asks(50)), memory.reserve_now(asks(50)));
        let (ra, rb) = (redis.reserve(asks(50)).await, redis.reserve(asks(50)).await);
        clock.pass(Duration::from_secs(1800));
        *redis.shared().time.lock().unwrap() = Some(clock.time());
        memory.settle(holds(a), &[0]);
        redis.settle(holds(ra), &[0]);
        if !together {
            redis.flush().await;
        }
        drop((
            holds(memory.reserve_now(asks(100))),
            holds(redis.reserve(asks(100)).await),
        ));
        memory.settle(holds(b), &[0]);
        redis.settle(holds(rb), &[0]);
        redis.flush().await;
        let remaining = |verdict| match verdict {
            Verdict::Admitted(holds) => holds[0].left().unwrap().remaining,
            Verdict::Refused(refused) => refused.left.remaining,
            Verdict::Unavailable(_) => panic!("Redis does not answer"),
        };
        let ours = remaining(memory.reserve_now(asks(0)));
        left.push((together, remaining(redis.reserve(asks(0)).await), ours));
    }
    assert_eq!(left, [(false, 0, 0), (true, 0, 0)]);
}

/// A call that is refused does not keep the change of its limit: what it is told to wait for never
/// comes, for time goes on by the old limit.
#[tokio::test]
#[ignore = "needs a Redis"]
async fn who_waits_as_told_after_a_limit_has_changed_is_let_in() {
    let quota =
        |amount, period| Limit::from(Quota::try_new(amount, period, Align::Rolling).unwrap());
    let cases: [(Limit, Limit, u64); 2] = [
        // Overdrawn at 10 a minute, and raised to 1000 a minute.
        (rate(10, 60).into(), rate(1000, 60).into(), 300),
        (quota(100, Period::Day), quota(100, Period::Hour), 100),
    ];
    let mut rounds = Vec::new();
    for (before, after, used) in cases {
        let (redis, driver) = RedisStore::new(connection().await, Tokio, config(OnError::Deny));
        tokio::spawn(driver);
        let clock = Still::new();
        let memory = MemoryStore::with_clock(clock.clone(), 1000);
        let tell = || *redis.shared().time.lock().unwrap() = Some(clock.time());
        tell();
        let asks = |limit, amount| vec![claim("r", "k", limit, amount)];
        let Verdict::Admitted(ours) = memory.reserve_now(asks(before, 1)) else {
            panic!("1 fits");
        };
        let Verdict::Admitted(theirs) = redis.reserve(asks(before, 1)).await else {
            panic!("1 fits");
        };
        memory.settle(ours, &[used]);
        redis.settle(theirs, &[used]);
        redis.flush().await;
        let (mut in_memory, mut in_redis) = (None, None);
        for round in 0..20 {
            if in_memory.is_none()
                && matches!(memory.reserve_now(asks(after, 1)), Verdict::Admitted(_))
            {
                in_memory = Some(round);
            }
            match redis.reserve(asks(after, 1)).await {
                Verdict::Admitted(_) => {
                    in_redis = Some(round);
                    break;
                }
                Verdict::Refused(refused) => clock.pass(refused.wait.unwrap()),
                Verdict::Unavailable(_) => panic!("Redis does not answer"),
            }
            tell();
        }
        rounds.push((in_memory, in_redis));
    }
    assert_eq!(
        rounds,
        [(Some(1), Some(1)); 2],
        "rounds of waiting as told, memory and Redis"
    );
}

/// What was used stays used when a limit changes, though nobody is let in meanwhile.
#[tokio::test]
#[ignore = "needs a Redis"]
async fn what_was_used_stays_used_where_a_period_becomes_longer() {
    let mut told = Vec::new();
    for align in [Align::Utc, Align::Rolling] {
        let quota = |period| Limit::from(Quota::try_new(100, period, align).unwrap());
        let (redis, driver) = RedisStore::new(connection().await, Tokio, config(OnError::Deny));
        tokio::spawn(driver);
        let clock = Still::new();
        let memory = MemoryStore::with_clock(clock.clone(), 1000);
        let tell = || *redis.shared().time.lock().unwrap() = Some(clock.time());
        tell();
        let asks = |period, amount| vec![claim("r", "k", quota(period), amount)];
        let _ = memory.reserve_now(asks(Period::Hour, 100));
        let _ = redis.reserve(asks(Period::Hour, 100)).await;
        // The limit is changed, and calls come all the time: they are refused.
        for _ in 0..14 {
            let ours = memory.reserve_now(asks(Period::Month, 1));
            let theirs = redis.reserve(asks(Period::Month, 1)).await;
            let is_in = |it: &Verdict| matches!(it, Verdict::Admitted(_));
            if is_in(&ours) || is_in(&theirs) {
                told.push((align, is_in(&ours), is_in(&theirs)));
                break;
            }
            clock.pass(Duration::from_secs(600));
            tell();
        }
    }
    assert_eq!(told, [], "(memory, Redis) admit in the same month");
}

#[tokio::test]
#[ignore = "needs a Redis"]
async fn what_is_given_back_is_there_for_who_asks_next() {
    let (store, driver) = RedisStore::new(connection().await, Tokio, config(OnError::Deny));
    tokio::spawn(driver);
    let limit = rate(100, 3600);
    let mut refused = 0;
    for round in 0..100 {
        let key = format!("k{round}");
        let ask = |key: &str, amount| store.reserve(vec![claim("r", key, limit, amount)]);
        let Verdict::Admitted(other) = ask("other", 0).await else {
            panic!("nothing is asked");
        };
        let Verdict::Admitted(holds) = ask(&key, 60).await else {
            panic!("60 of 100");
        };
        // Something else is being settled.
        let mut other = other;
        store.extend(&mut other, &[1]);
        store.settle(other, &[0]);
        tokio::task::yield_now().await;
        // As a call does whose prompt is counted: it gives back what it held, and asks again.
        store.settle(holds, &[0]);
        refused += u32::from(matches!(ask(&key, 80).await, Verdict::Refused(_)));
    }
    assert_eq!(
        refused, 0,
        "of 100 who asked for 80 of 100 that nobody held"
    );
}

#[tokio::test]
#[ignore = "needs a Redis"]
async fn one_key_that_cannot_be_read_is_no_reason_to_forget_others() {
    let config = config(OnError::Deny);
    let (store, driver) = RedisStore::new(connection().await, Tokio, config);
    tokio::spawn(driver);
    let limit = rate(100, 3600);
    let ask = |key: &str, amount| store.reserve(vec![claim("r", key, limit, amount)]);
    let Verdict::Admitted(good) = ask("good", 100).await else {
        panic!("100 of 100");
    };
    let Verdict::Admitted(bad) = ask("bad", 100).await else {
        panic!("100 of 100");
    };
    let key = store.shared().keys.level(bad[0].claim().key.as_str());
    ::redis::cmd("SET")
        .arg(key)
        .arg("what another version has written")
        .exec_async(&mut connection().await)
        .await
        .unwrap();
    // Both are settled in one batch.
    store.settle(good, &[0]);
    store.settle(bad, &[0]);
    store.flush().await;
    assert_eq!(store.stats().dropped, 0, "settlements of others are lost");
    assert!(matches!(ask("good", 100).await, Verdict::Admitted(_)));
}
