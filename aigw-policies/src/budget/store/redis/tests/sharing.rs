//! Many clients and processes on one limit.

use super::*;

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
async fn what_somebody_else_has_written_is_no_level() {
    let (redis, _driver) = store(OnError::Deny).await;
    let mut connection = connection().await;
    let limit = rate(100, 3600);
    for foreign in ["", "b", "bucket", "what else", &"r".repeat(500)] {
        let claim = || claim("r", foreign, limit, 60);
        let key = redis.shared().keys.level(claim().key.as_str());
        ::redis::cmd("SET")
            .arg(key)
            .arg(foreign)
            .exec_async(&mut connection)
            .await
            .unwrap();
        let Verdict::Admitted(holds) = redis.reserve(vec![claim()]).await else {
            panic!("60 of 100");
        };
        assert_eq!(holds[0].left().unwrap().remaining, 40);
        let verdict = redis.reserve(vec![claim()]).await;
        assert!(matches!(verdict, Verdict::Refused(_)), "{foreign}");
    }
}
