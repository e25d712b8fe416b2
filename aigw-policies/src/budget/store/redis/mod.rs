//! Levels in Redis: one limit for any number of processes.
//!
//! A decision is one script over all budgets of a call, on the server's time. It is the same
//! arithmetic as in memory, and comes to the same verdicts. The [`Driver`] asks for it: alone where
//! nothing else is asked, which is one round trip; what is asked while calls are on their way goes
//! together, so that under load a call of Redis decides over dozens. What is settled is not waited
//! for: it rides along, in batches that are numbered, so that each is done once however often it has
//! to be sent.
//!
//! ```text
//!  reserve ──► driver ──► script ──► admitted, or refused with the exact time
//!     │                      └─ no answer in time ──► OnError: allow, deny, or a share
//!     └─ dropped ─► driver ──► given back once the answer is there
//!  settle ──► outbox ──► driver ──► script, again until Redis has it
//!                          └─ every 5 s: who else lives? leases are renewed
//! ```
//!
//! Limits of calls at once keep leases here: a sorted set for each key, of who holds one until when.
//! They are renewed together every five seconds, and end by themselves after fifteen. Whatever is said
//! of a lease can be said twice.
//!
//! # Examples
//!
//! Besides this crate's feature `redis`, the crate `redis` with its features `tokio-comp` and
//! `connection-manager`:
//!
//! ```no_run
//! use std::time::Duration;
//!
//! use aigw_policies::{
//!     aigw_core::{key::Dimension, rt::Tokio},
//!     budget::{Rate, redis::{Config, OnError, RedisStore}},
//!     token_limit::{Budget, OnOpaque, TokenLimitLayer},
//! };
//!
//! # async fn open() -> Result<(), Box<dyn std::error::Error>> {
//! // It reconnects by itself; and when, is for the driver to say.
//! let client = redis::Client::open("redis://127.0.0.1")?;
//! let connection = redis::aio::ConnectionManagerConfig::new().set_number_of_retries(0);
//! let connection = client.get_connection_manager_with_config(connection).await?;
//! let config = Config::try_new("gateway", OnError::Local)?;
//! let (store, driver) = RedisStore::new(connection, Tokio, config);
//! tokio::spawn(driver);
//!
//! let rate = Rate::try_new(100_000, Duration::from_secs(60))?;
//! let team = Budget::new("team", rate).key([Dimension::Consumer]);
//! let limit = TokenLimitLayer::try_new([team], store.clone(), OnOpaque::Pass)?;
//! # let _ = limit;
//! // … it serves; and at the end:
//! store.flush().await;
//! # Ok(())
//! # }
//! ```
//!
//! # Accuracy
//!
//! What is admitted never exceeds a limit, however many processes ask. Where it is unknown whether
//! Redis has taken something, it counts as taken. Numbers are exact below 2⁵²: a rate whose amount
//! and time share no factor may be too fine, and is then an error when the limiter is made.
//!
//! # Deployment
//!
//! Redis 6.2 or later, or Valkey; a user who may call `EVALSHA`, `SCRIPT LOAD`, and in scripts `TIME`,
//! `GET`, `MGET`, `SET`, `SETRANGE`, `DEL`, `PEXPIRE`, `ZADD`, `ZCARD`, `ZREM` and `ZREMRANGEBYSCORE`
//! on the keys `{namespace}:*`. Every key has an expiry and the same hash tag, so that a cluster keeps the
//! namespace on one node; to spread the load, use several. A key outlives what it keeps by as long
//! as that lasted, up to an hour. Keys show whose they are: the values of the properties that
//! budgets are keyed by, unless they are long. A server that evicts keys gives out limits again; use
//! `noeviction`, or a server apart from caches. A connection that redis's `SentinelClient` gives
//! stays with its server: behind Sentinel the connection is to be one that asks again where the
//! server is when its own is gone.
//!
//! A process that stands still for longer than a lease lasts has lost it to others, and takes it
//! again when it goes on: its calls are there. Until some have ended there may be more than the limit.
//!
//! While Redis does not answer, [`OnError`] decides; each process asks it alone whether it is there
//! again, and tells it first what was used of quotas meanwhile. A server that comes back without its
//! data gives out each limit once more: [`Stats::forgotten`] counts how often. What was taken before
//! is not given back to the new level; places that calls hold are taken again within five seconds. A
//! replica that takes over without the last writes is not
//! noticed, and gives out what they took.

mod asked;
mod config;
mod dispatch;
mod driver;
mod flight;
mod leases;
#[cfg(feature = "concurrency-limit")]
mod lessor;
mod line;
mod outage;
mod outbox;
mod reserving;
mod shared;
mod stats;
mod store;
#[cfg(test)]
mod tests;
mod wire;

pub use self::{
    config::{Config, ConfigError, OnError},
    driver::Driver,
    reserving::Reserving,
    stats::Stats,
    store::RedisStore,
};
