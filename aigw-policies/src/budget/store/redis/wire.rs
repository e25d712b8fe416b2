//! What is said to Redis, and what it answers.

use std::{sync::LazyLock, time::Duration};

use redis::{
    ErrorKind, RedisError, RedisResult, Script, ScriptInvocation, Value, aio::ConnectionLike,
};
use sha2::{Digest, Sha256};

use super::{
    super::super::{Limit, Timestamp, level::Taken, rolling},
    leases::Change,
    outbox::Correction,
    shared::Shared,
};
use crate::budget::{Align, Claim, Left, Refused};

static RESERVE: LazyLock<Script> = LazyLock::new(|| {
    Script::new(concat!(
        include_str!("level.lua"),
        include_str!("reserve.lua")
    ))
});
static SETTLE: LazyLock<Script> = LazyLock::new(|| {
    Script::new(concat!(
        include_str!("level.lua"),
        include_str!("settle.lua")
    ))
});
#[cfg(feature = "concurrency-limit")]
static ENTER: LazyLock<Script> = LazyLock::new(|| {
    Script::new(concat!(
        include_str!("clock.lua"),
        include_str!("enter.lua")
    ))
});
static RENEW: LazyLock<Script> = LazyLock::new(|| {
    Script::new(concat!(
        include_str!("clock.lua"),
        include_str!("lease.lua")
    ))
});
static BEAT: LazyLock<Script> =
    LazyLock::new(|| Script::new(concat!(include_str!("clock.lua"), include_str!("beat.lua"))));

/// The longest text of a key that stands in Redis as it is, in bytes; others stand there as their
/// hash.
const LONGEST_KEY: usize = 256;

/// How long Redis remembers the last batch of a process, and since when it remembers anything. A
/// batch is sent again within seconds, or the process is gone.
const REMEMBERED: Duration = Duration::from_secs(24 * 3600);

/// How long a process is believed that it lives, and that it holds what it does.
pub(super) const LEASE: Duration = Duration::from_secs(15);

/// Where a Lua number is no longer exact.
const EXACT: u64 = 1 << 52;

/// The keys of one namespace.
#[derive(Clone, Debug)]
pub(super) struct Keys {
    prefix: String,
    sender: String,
    processes: String,
    since: String,
}

impl Keys {
    pub(super) fn new(namespace: &str, process: &str) -> Self {
        let prefix = format!("{{{namespace}}}:");
        Self {
            sender: format!("{prefix}sent:{process}"),
            processes: format!("{prefix}processes"),
            since: format!("{prefix}since"),
            prefix,
        }
    }

    pub(super) fn level(&self, key: &str) -> String {
        self.of("level", key)
    }

    /// The leases of a key.
    #[cfg(feature = "concurrency-limit")]
    pub(super) fn calls(&self, key: &str) -> String {
        self.of("calls", key)
    }

    fn of(&self, what: &str, key: &str) -> String {
        let prefix = &self.prefix;
        if key.len() <= LONGEST_KEY {
            return format!("{prefix}{what}:{key}");
        }
        let hash = Sha256::digest(key);
        let hex = hash.iter().map(|byte| format!("{byte:02x}"));
        // A budget's name ends in a colon, so that no plain key looks so.
        format!("{prefix}{what}:#{}", hex.collect::<String>())
    }
}

/// Whether the server's numbers are exact for a limit.
pub(super) fn is_exact(limit: &Limit) -> bool {
    match limit {
        Limit::Rate(rate) => rate.flow().span() < i128::from(EXACT),
        Limit::Quota(quota) => quota.amount() < EXACT,
    }
}

/// Asks for all of these claims. A test names the time.
pub(super) fn reserve(
    keys: &Keys,
    claims: &[Claim],
    now: Option<Timestamp>,
) -> ScriptInvocation<'static> {
    let mut call = RESERVE.prepare_invoke();
    call.arg(time(now));
    for claim in claims {
        call.key(keys.level(claim.key.as_str()));
        // More never fits, however much more it is.
        call.arg(claim.amount.min(EXACT));
        limit_args(&mut call, &claim.limit);
    }
    call
}

/// What Redis has decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Decided {
    Admitted(Vec<(Taken, Left)>),
    Refused(Refused),
}

/// Reads the answer to [`reserve`].
pub(super) fn decided(claims: &[Claim], answer: Value) -> RedisResult<Decided> {
    let numbers: Vec<i64> = redis::from_redis_value(answer)?;
    let read = match numbers.as_slice() {
        [0, claim, wait, remaining, reset] => refused(claims, *claim, *wait, [*remaining, *reset]),
        [1, taken @ ..] if taken.len() == claims.len() * 3 => claims
            .iter()
            .zip(taken.chunks_exact(3))
            .map(|(claim, taken)| admitted(claim, taken))
            .collect::<Option<_>>()
            .map(Decided::Admitted),
        _ => None,
    };
    read.ok_or_else(|| RedisError::from((ErrorKind::UnexpectedReturnType, "not a verdict")))
}

fn refused(
    claims: &[Claim],
    claim: i64,
    wait: i64,
    [remaining, reset]: [i64; 2],
) -> Option<Decided> {
    let claim = usize::try_from(claim).ok()?;
    claims.get(claim)?;
    Some(Decided::Refused(Refused {
        claim,
        wait: u64::try_from(wait).ok().map(Duration::from_micros),
        left: left(remaining, reset)?,
    }))
}

fn admitted(claim: &Claim, taken: &[i64]) -> Option<(Taken, Left)> {
    let [from, remaining, reset] = *<&[i64; 3]>::try_from(taken).ok()?;
    let from = Timestamp::from_micros(from.try_into().ok()?);
    let taken = Taken::of(&claim.limit, claim.amount, from);
    Some((taken, left(remaining, reset)?))
}

fn left(remaining: i64, reset: i64) -> Option<Left> {
    Some(Left {
        remaining: remaining.try_into().ok()?,
        reset: Duration::from_micros(reset.try_into().ok()?),
    })
}

/// Corrects levels, once however often it is sent: batches of a process are numbered.
pub(super) fn settle(
    keys: &Keys,
    batch: u64,
    corrections: &[Correction],
    now: Option<Timestamp>,
) -> ScriptInvocation<'static> {
    let mut call = SETTLE.prepare_invoke();
    call.key(&keys.sender);
    call.arg(time(now)).arg(batch);
    call.arg(REMEMBERED.as_millis() as u64);
    for correction in corrections {
        let Correction {
            key,
            limit,
            what,
            from,
            taken,
            used,
        } = correction;
        call.key(keys.level(key));
        call.arg(what.as_str()).arg(*from);
        call.arg((*taken).min(EXACT)).arg((*used).min(EXACT));
        limit_args(&mut call, limit);
    }
    call
}

/// Asks for a lease of a key.
#[cfg(feature = "concurrency-limit")]
pub(super) fn enter<T>(
    shared: &Shared<T>,
    key: &str,
    number: u64,
    calls: usize,
    released: &[u64],
) -> ScriptInvocation<'static> {
    let mut call = ENTER.prepare_invoke();
    call.key(key);
    call.arg(milliseconds(shared.named_time()));
    call.arg(LEASE.as_millis() as u64).arg(calls);
    for number in [number].iter().chain(released) {
        call.arg(member(&shared.process, *number));
    }
    call
}

/// Renews leases, and gives others back.
pub(super) fn lease<T>(shared: &Shared<T>, changes: &[Change]) -> ScriptInvocation<'static> {
    let mut call = RENEW.prepare_invoke();
    call.arg(milliseconds(shared.named_time()));
    call.arg(LEASE.as_millis() as u64);
    for Change { key, number, what } in changes {
        call.key(key);
        call.arg(what.as_str())
            .arg(member(&shared.process, *number));
    }
    call
}

/// Whose lease it is.
fn member(process: &str, number: u64) -> String {
    format!("{process}:{number}")
}

fn milliseconds(now: Option<Timestamp>) -> String {
    now.map_or_else(String::new, |now| (now.as_micros() / 1000).to_string())
}

/// Says that a process lives, for so long.
pub(super) fn beat(keys: &Keys, process: &str, lease: Duration) -> ScriptInvocation<'static> {
    let mut call = BEAT.prepare_invoke();
    call.key(&keys.processes).key(&keys.since);
    call.arg(process).arg(lease.as_millis() as u64);
    call.arg(REMEMBERED.as_millis() as u64);
    call
}

/// What Redis knows of the processes of a namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Living {
    pub(super) processes: usize,
    /// Since when Redis has known what it knows, in milliseconds since 1970. Another time tells
    /// that it has forgotten what it knew before.
    pub(super) since: u64,
}

/// Reads the answer to [`beat`].
pub(super) fn living(answer: Value) -> RedisResult<Living> {
    let (processes, since) = redis::from_redis_value(answer)?;
    Ok(Living { processes, since })
}

/// Sends a call, with its script where Redis has forgotten it.
pub(super) async fn send<C: ConnectionLike>(
    call: ScriptInvocation<'static>,
    mut connection: C,
) -> RedisResult<Value> {
    call.invoke_async(&mut connection).await
}

fn time(now: Option<Timestamp>) -> String {
    now.map_or_else(String::new, |now| now.as_micros().to_string())
}

fn limit_args(call: &mut ScriptInvocation<'static>, limit: &Limit) {
    match limit {
        Limit::Rate(rate) => {
            let [amount, inflow, parts, debt] = rate.flow().numbers();
            call.arg("b").arg(amount).arg(inflow).arg(parts).arg(debt)
        }
        Limit::Quota(quota) => match quota.align() {
            Align::Utc => {
                let period = quota.period().as_str();
                call.arg("w")
                    .arg(quota.amount())
                    .arg(period)
                    .arg("")
                    .arg("")
            }
            Align::Rolling => {
                let width = rolling::width(quota);
                call.arg("r").arg(quota.amount()).arg(width).arg("").arg("")
            }
        },
    };
}
