//! What a decision in Redis costs, beside a script that does nothing.

use std::{
    process,
    time::{Duration, Instant, SystemTime},
};

use aigw_core::rt::Tokio;
use aigw_policies::budget::{
    Claim, Key, Rate, Store, Verdict,
    redis::{Config, OnError, RedisStore},
};
use redis::{Client, Script, aio::MultiplexedConnection};
use tokio::{runtime, task::JoinSet};

use crate::{
    Options, Result,
    table::{self, Figures, Target},
};

/// How many wait for an answer at once, each on the same connection.
const CALLERS: usize = 64;

/// How much each of them claims of each budget.
const CLAIMED: u64 = 1000;

/// How many decisions each of them asks for.
const CALLS: usize = 500;

pub(crate) fn run(options: &Options) -> Result {
    let runtime = runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(measure(options))
}

#[expect(
    clippy::disallowed_methods,
    reason = "whoever runs it says where a Redis is"
)]
async fn measure(options: &Options) -> Result {
    let url = std::env::var("AIGW_TEST_REDIS_URL").map_err(|_| "AIGW_TEST_REDIS_URL is not set")?;
    let connection = Client::open(url)?
        .get_multiplexed_async_connection()
        .await?;
    let (mut nothing, mut alone, mut one, mut three) = Default::default();
    for _ in 0..options.rounds {
        Figures::push(&mut nothing, each_second(no_op(connection.clone())).await?);
        let decisions = |budgets, used| each_second(decisions(connection.clone(), budgets, used));
        Figures::push(&mut alone, decisions(1, CLAIMED).await?);
        Figures::push(&mut one, decisions(1, 10).await?);
        Figures::push(&mut three, decisions(3, 10).await?);
    }
    table::title(
        "limit in Redis, 64 callers on one connection",
        "decisions a second",
    );
    table::row("a script that does nothing", &nothing, Target::None);
    table::row("one budget", &alone, Target::None);
    table::row("one budget, with its settlements", &one, Target::None);
    table::row(
        "three budgets, with their settlements",
        &three,
        Target::None,
    );
    table::row(
        "one budget : nothing",
        &alone.over(&nothing),
        Target::AtLeast(0.7),
    );
    table::row(
        "one budget, with its settlements : nothing",
        &one.over(&nothing),
        Target::None,
    );
    table::row(
        "three budgets, with their settlements : nothing",
        &three.over(&nothing),
        Target::None,
    );
    Ok(())
}

/// How many calls of these there are in a second.
async fn each_second(calls: impl Future<Output = Result<Duration>>) -> Result<f64> {
    Ok((CALLERS * CALLS) as f64 / calls.await?.as_secs_f64())
}

/// A script with the arguments of a decision, which looks at none of them.
async fn no_op(connection: MultiplexedConnection) -> Result<Duration> {
    let script = Script::new("return 1");
    let () = script
        .key("k")
        .invoke_async(&mut connection.clone())
        .await?;
    let mut callers = JoinSet::new();
    let began = Instant::now();
    for caller in 0..CALLERS {
        let (mut connection, script) = (connection.clone(), script.clone());
        callers.spawn(async move {
            for _ in 0..CALLS {
                let mut call = script.key(format!("{{bench}}:level:rate:=caller-{caller}"));
                call.arg("").arg(1000).arg("b").arg(1_000_000_000);
                call.arg(50_000).arg(3).arg(60_000_000_000_u64);
                call.invoke_async::<u64>(&mut connection).await?;
            }
            Ok::<_, redis::RedisError>(())
        });
    }
    while let Some(caller) = callers.join_next().await {
        caller??;
    }
    Ok(began.elapsed())
}

/// Calls that claim so much of so many budgets and use this much: what is used as it was claimed needs
/// no settlement.
async fn decisions(
    connection: MultiplexedConnection,
    budgets: usize,
    used: u64,
) -> Result<Duration> {
    let since = SystemTime::UNIX_EPOCH.elapsed()?.as_nanos();
    let namespace = format!("bench-{}-{since}", process::id());
    // A deadline that is not reached: what is measured is Redis alone.
    let config = Config::try_new(namespace, OnError::Deny)?.deadline(Duration::from_secs(60));
    let (store, driver) = RedisStore::new(connection, Tokio, config);
    let driver = tokio::spawn(driver);
    // Slow enough that levels are there when they are asked for again.
    let limit = Rate::try_new(1_000_000_000, Duration::from_secs(24 * 3600))?.into();
    let mut callers = JoinSet::new();
    let began = Instant::now();
    for caller in 0..CALLERS {
        let store = store.clone();
        callers.spawn(async move {
            let key = format!("caller-{caller}");
            for _ in 0..CALLS {
                let claims = (0..budgets).map(|budget| Claim {
                    key: Key::new(&format!("rate-{budget}"), [Some(&key)]),
                    limit,
                    amount: CLAIMED,
                });
                match store.reserve(claims.collect()).await {
                    Verdict::Admitted(holds) => store.settle(holds, &[used; 3]),
                    verdict => return Err(format!("not admitted: {verdict:?}")),
                }
            }
            Ok(())
        });
    }
    while let Some(caller) = callers.join_next().await {
        caller??;
    }
    store.flush().await;
    let took = began.elapsed();
    drop(store);
    driver.await?;
    Ok(took)
}
