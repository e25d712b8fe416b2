//! Those that need a Redis have one from the test command; the others make one up.

mod agreement;
mod faults;
mod kinds;
#[cfg(feature = "concurrency-limit")]
mod leases;
mod load;
mod outage;
mod recovery;
#[cfg(feature = "request-limit")]
mod requests;
mod server;
mod sharing;
mod together;

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
    Verdict, level::Taken, store::Kept,
};

type Redis = RedisStore<Tokio>;

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

/// A Redis by hand, which answers each command so.
#[derive(Clone)]
struct ByHand<F>(F);

impl<F, Fut> ConnectionLike for ByHand<F>
where
    F: Fn(Vec<u8>) -> Fut + Send,
    Fut: Future<Output = Value> + Send + 'static,
{
    fn req_packed_command<'a>(&'a mut self, cmd: &'a Cmd) -> RedisFuture<'a, Value> {
        let answer = (self.0)(cmd.get_packed_command());
        Box::pin(async { Ok(answer.await) })
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        _: &'a Pipeline,
        _: usize,
        _: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        unreachable!("no pipeline is sent")
    }

    fn get_db(&self) -> i64 {
        0
    }
}

/// Where in a command behind this word, if it stands there.
fn behind<'c>(command: &'c [u8], word: &[u8]) -> Option<&'c [u8]> {
    let mut windows = command.windows(word.len());
    let place = windows.position(|window| window == word)?;
    command.get(place + word.len()..)
}

fn is_beat(command: &[u8]) -> bool {
    behind(command, b"}:processes").is_some()
}

/// What a beat is answered: this process alone lives, and Redis knows what it knows since then.
fn alone(since: i64) -> Value {
    Value::Array([1, since].map(Value::Int).into())
}

/// To as many decisions as are asked for at once; to the others nobody listens.
fn all_admitted() -> Value {
    let admitted = [0.0, 90.0, 0.0].map(f64::to_le_bytes);
    Value::BulkString(admitted.concat().repeat(128))
}
