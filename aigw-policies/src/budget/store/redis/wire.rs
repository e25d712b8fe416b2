//! What is said to Redis, and what it answers.

use std::{
    collections::HashMap,
    sync::{Arc, LazyLock},
    time::Duration,
};

use redis::{RedisResult, Script, ScriptInvocation, Value};
use sha2::{Digest, Sha256};

use super::{
    super::super::{Limit, Timestamp, level::Taken, rolling},
    asked::Asked,
    leases::Change,
    outbox::Correction,
    shared::Shared,
};
use crate::budget::{Align, Claim, Left, Refused};

static DECIDE: LazyLock<Script> = LazyLock::new(|| {
    Script::new(concat!(
        include_str!("level.lua"),
        include_str!("decide.lua")
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

/// How many bytes the numbers of a call have, mostly at most.
const ROOM: usize = 2048;

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
        let prefix = self.prefix.as_str();
        if key.len() <= LONGEST_KEY {
            return [prefix, what, ":", key].concat();
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

/// Corrects levels, once however often it is sent, for the batches of a process are numbered; then
/// asks for decisions, each of which takes all of its claims or nothing. A test names the time.
pub(super) fn decide(
    keys: &Keys,
    (batch, corrections): (u64, &[Correction]),
    decisions: &[Arc<Asked>],
    now: Option<Timestamp>,
) -> ScriptInvocation<'static> {
    let mut call = DECIDE.prepare_invoke();
    let (mut named, mut limits) = (Named::new(keys, &mut call), Limits::default());
    let mut numbers = Numbers(Vec::with_capacity(ROOM));
    numbers.push(batch);
    numbers.push(REMEMBERED.as_millis() as u64);
    numbers.push(corrections.len() as u64);
    for correction in corrections {
        numbers.push(correction.what.number());
        numbers.push(named.place(&correction.key));
        numbers.push(limits.place(&correction.limit));
        numbers.push(correction.from);
        numbers.push(correction.taken);
        numbers.push(correction.used);
    }
    for asked in decisions {
        asked.claims(|claims| {
            let mut claims = claims.iter().peekable();
            while let Some(claim) = claims.next() {
                let limit = limits.place(&claim.limit);
                // Below zero, where the call claims more.
                match claims.peek() {
                    Some(_) => numbers.push_below_zero(limit),
                    None => numbers.push(limit),
                }
                numbers.push(named.place(claim.key.as_str()));
                numbers.push(claim.amount);
            }
        });
    }
    call.arg(time(now)).arg(numbers.0);
    for limit in &limits.0 {
        call.arg(written(limit));
    }
    call
}

/// The keys of a call, each once.
struct Named<'a> {
    keys: &'a Keys,
    call: &'a mut ScriptInvocation<'static>,
    places: HashMap<String, u64>,
}

impl<'a> Named<'a> {
    /// With the sender's in the first place.
    fn new(keys: &'a Keys, call: &'a mut ScriptInvocation<'static>) -> Self {
        call.key(&keys.sender);
        Self {
            keys,
            call,
            places: HashMap::new(),
        }
    }

    /// Which it is, counted from 1.
    fn place(&mut self, key: &str) -> u64 {
        if let Some(place) = self.places.get(key) {
            return *place;
        }
        self.call.key(self.keys.level(key));
        let place = self.places.len() as u64 + 2;
        self.places.insert(key.to_owned(), place);
        place
    }
}

/// Numbers as scripts read them.
struct Numbers(Vec<u8>);

impl Numbers {
    /// More than is exact never fits and is never used, however much more it is.
    fn push(&mut self, number: u64) {
        self.write(number.min(EXACT) as f64);
    }

    fn push_below_zero(&mut self, number: u64) {
        self.write(-(number.min(EXACT) as f64));
    }

    fn write(&mut self, number: f64) {
        self.0.extend_from_slice(&number.to_le_bytes());
    }
}

/// The limits of a call, each once: most of its claims are of a few.
#[derive(Default)]
struct Limits(Vec<Limit>);

impl Limits {
    /// Which it is, counted from 1.
    fn place(&mut self, limit: &Limit) -> u64 {
        let known = self.0.iter().position(|known| known == limit);
        let index = known.unwrap_or_else(|| {
            self.0.push(*limit);
            self.0.len() - 1
        });
        index as u64 + 1
    }
}

/// What Redis has decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Decided {
    Admitted(Vec<(Taken, Left)>),
    Refused(Refused),
}

/// What is not read yet of the answer to [`decide`].
pub(super) struct Decisions {
    numbers: Vec<u8>,
    /// How many bytes of them are read.
    read: usize,
}

impl Decisions {
    /// Nothing, where it is something else.
    pub(super) fn read(answer: Value) -> Self {
        let numbers = match answer {
            Value::BulkString(numbers) => numbers,
            _ => Vec::new(),
        };
        Self { numbers, read: 0 }
    }

    /// The next decision, which is on these claims; `None` where the answer is none to them, and for
    /// all that follow.
    pub(super) fn next(&mut self, claims: &[Claim]) -> Option<Decided> {
        let next = self.read_next(claims);
        if next.is_none() {
            self.numbers.clear();
        }
        next
    }

    fn read_next(&mut self, claims: &[Claim]) -> Option<Decided> {
        let mut taken = Vec::with_capacity(claims.len());
        for claim in claims {
            let from = self.number()?;
            if from < 0 {
                return self.refused(claims, from).map(Decided::Refused);
            }
            taken.push(self.taken(claim, from)?);
        }
        Some(Decided::Admitted(taken))
    }

    fn refused(&mut self, claims: &[Claim], claim: i64) -> Option<Refused> {
        let claim = usize::try_from(-1 - claim).ok()?;
        claims.get(claim)?;
        let wait = self.number()?;
        Some(Refused {
            claim,
            wait: u64::try_from(wait).ok().map(Duration::from_micros),
            left: self.left()?,
        })
    }

    fn taken(&mut self, claim: &Claim, from: i64) -> Option<(Taken, Left)> {
        let from = Timestamp::from_micros(from.try_into().ok()?);
        let taken = Taken::of(&claim.limit, claim.amount, from);
        Some((taken, self.left()?))
    }

    fn left(&mut self) -> Option<Left> {
        Some(Left {
            remaining: self.number()?.try_into().ok()?,
            reset: Duration::from_micros(self.number()?.try_into().ok()?),
        })
    }

    fn number(&mut self) -> Option<i64> {
        let number = self.numbers.get(self.read..)?.first_chunk()?;
        self.read += number.len();
        Some(f64::from_le_bytes(*number) as i64)
    }
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

fn time(now: Option<Timestamp>) -> String {
    now.map_or_else(String::new, |now| now.as_micros().to_string())
}

/// A limit as scripts read it, and keep it before the level of each of its keys.
fn written(limit: &Limit) -> Vec<u8> {
    let mut numbers = Numbers(Vec::new());
    match limit {
        Limit::Rate(rate) => {
            numbers.0.push(b'b');
            for number in rate.flow().numbers() {
                numbers.push(number);
            }
        }
        Limit::Quota(quota) => match quota.align() {
            Align::Utc => {
                numbers.0.push(b'w');
                numbers.push(quota.amount());
                let period = quota.period().as_str();
                numbers.0.extend_from_slice(period.as_bytes());
            }
            Align::Rolling => {
                numbers.0.push(b'r');
                numbers.push(quota.amount());
                numbers.push(rolling::width(quota));
            }
        },
    }
    numbers.0
}
