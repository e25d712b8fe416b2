use std::{
    fmt,
    future::{Ready, ready},
    hash::{BuildHasher, RandomState},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use aigw_core::rt::{Clock, SystemClock};

use super::{
    super::{Fit, Left, Limit, Timestamp},
    Claim, Hold, Key, Refused, Store, StoreError, Verdict,
    sealed::Sealed,
    shard::{Shard, Slot},
};

/// Keeps levels in this process's memory.
///
/// Clones share them. Levels are spread over shards with a lock each, which is held for a decision
/// and across nothing that waits.
///
/// # Memory
///
/// At most so many keys are kept; a key that has its whole limit again is forgotten when room is
/// needed, and nothing is lost with it. While every key is in use, the keys that come too late
/// share one level for each budget and shard: they are limited more tightly than they should be,
/// never less, and memory does not grow however many keys a caller makes up.
///
/// # Deployment
///
/// Limits hold per process: *n* gateways with a store of this kind admit *n* times the limit.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
///
/// use aigw_policies::budget::{Claim, Key, MemoryStore, Rate, Store, Verdict};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let store = MemoryStore::new();
/// let limit = Rate::try_new(100, Duration::from_secs(60))?.into();
/// let key = Key::new("rate", [Some("team-a")]);
/// let claim = |amount| Claim { key: key.clone(), limit, amount };
///
/// let Verdict::Admitted(holds) = store.reserve(vec![claim(80)]).await? else {
///     panic!("80 of 100 fit");
/// };
/// let Verdict::Refused(refused) = store.reserve(vec![claim(80)]).await? else {
///     panic!("another 80 do not");
/// };
/// assert!(refused.wait > Some(Duration::from_secs(35)));
///
/// store.settle(holds, &[20]);
/// assert!(matches!(store.reserve(vec![claim(80)]).await?, Verdict::Admitted(_)));
/// # Ok(())
/// # }
/// ```
pub struct MemoryStore<C = SystemClock> {
    shared: Arc<Shared<C>>,
}

struct Shared<C> {
    // Never empty, and so in two pieces.
    first: Mutex<Shard>,
    others: Vec<Mutex<Shard>>,
    /// Two, so that 128 bits tell keys apart: who makes up keys does not know the seeds.
    hashers: [RandomState; 2],
    clock: C,
    /// When the store was made, on both clocks. Wall time is only read then: it may step.
    origin: (Instant, Timestamp),
}

impl MemoryStore {
    /// The greatest number of keys, unless another one is set.
    pub const DEFAULT_MAX_KEYS: usize = 1_000_000;

    /// A store on the system's clock.
    #[must_use]
    pub fn new() -> Self {
        Self::with_clock(SystemClock, Self::DEFAULT_MAX_KEYS)
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

impl<C: Clock> MemoryStore<C> {
    /// A store on this clock, with about so many keys at most.
    #[must_use]
    pub fn with_clock(clock: C, max_keys: usize) -> Self {
        let shards = SHARDS.min(max_keys.max(1));
        let capacity = max_keys.max(1).div_ceil(shards);
        let shard = || Mutex::new(Shard::new(capacity));
        Self {
            shared: Arc::new(Shared {
                first: shard(),
                others: std::iter::repeat_with(shard).take(shards - 1).collect(),
                hashers: [RandomState::new(), RandomState::new()],
                origin: (clock.now(), clock.wall().into()),
                clock,
            }),
        }
    }

    /// How many keys are kept.
    #[must_use]
    pub fn keys(&self) -> usize {
        let Shared { first, others, .. } = &*self.shared;
        let shards = std::iter::once(first).chain(others);
        shards.map(|shard| lock(shard).len()).sum()
    }

    /// The store's time, which never steps back.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.shared.now()
    }

    /// [`reserve`](Store::reserve), at once.
    #[must_use]
    pub fn reserve_now(&self, claims: Vec<Claim>) -> Verdict {
        let claims = claims.into_iter().enumerate();
        let mut asked: Vec<_> = claims
            .map(|(index, claim)| Asked {
                index,
                place: self.shared.place(&claim.key),
                claim,
            })
            .collect();
        // Locked in the order of the shards, so that no two calls wait for each other.
        asked.sort_by_key(|asked| asked.place.number);
        let mut shards: Vec<_> = asked
            .chunk_by(|one, next| one.place.number == next.place.number)
            .filter_map(|asked| Some((lock(asked.first()?.place.shard), asked)))
            .collect();
        let now = self.shared.now();
        let mut refused: Option<Refused> = None;
        for (shard, asked) in &mut shards {
            for Asked {
                index,
                place,
                claim,
            } in *asked
            {
                let slot = shard.slot(place.key, place.budget, now);
                let (fit, left) = shard.fit(slot, &claim.limit, now, claim.amount);
                let wait = match fit {
                    Fit::Now => continue,
                    Fit::Later(wait) => Some(wait),
                    Fit::Never => None,
                };
                if refused.is_none_or(|refused| decides(wait, refused.wait)) {
                    refused = Some(Refused {
                        claim: *index,
                        wait,
                        left,
                    });
                }
            }
        }
        if let Some(refused) = refused {
            return Verdict::Refused(refused);
        }
        let mut holds = Vec::with_capacity(asked.len());
        for (shard, asked) in &mut shards {
            for Asked {
                index,
                place,
                claim,
            } in *asked
            {
                let slot = shard.slot(place.key, place.budget, now);
                let (taken, left) = shard.take(slot, &claim.limit, now, claim.amount);
                let hold = Hold {
                    claim: claim.clone(),
                    taken,
                    folded: matches!(slot, Slot::Shared(_)),
                    left,
                };
                holds.push((*index, hold));
            }
        }
        holds.sort_by_key(|(index, _)| *index);
        Verdict::Admitted(holds.into_iter().map(|(_, hold)| hold).collect())
    }
}

/// A claim, its place among the claims of the call, and that of its level in the store.
struct Asked<'s> {
    index: usize,
    place: Place<'s>,
    claim: Claim,
}

/// Whether a wait decides over the one that did until now: forever over any, and else the longer.
fn decides(wait: Option<Duration>, before: Option<Duration>) -> bool {
    match (wait, before) {
        (_, None) => false,
        (None, Some(_)) => true,
        (Some(wait), Some(before)) => wait > before,
    }
}

impl<C: Clock> Sealed for MemoryStore<C> {}

impl<C: Clock> Store for MemoryStore<C> {
    type Reserving = Ready<Result<Verdict, StoreError>>;

    fn reserve(&self, claims: Vec<Claim>) -> Self::Reserving {
        ready(Ok(self.reserve_now(claims)))
    }

    fn settle(&self, holds: Vec<Hold>, used: &[u64]) {
        // One after the other: a settlement decides nothing, so it needs no common instant.
        for (hold, used) in holds.iter().zip(used) {
            let place = self.shared.place(&hold.claim.key);
            let slot = if hold.folded {
                Slot::Shared(place.budget)
            } else {
                Slot::Own(place.key)
            };
            let mut shard = lock(place.shard);
            let now = self.shared.now();
            shard.settle(slot, &hold.claim.limit, now, hold.taken, *used);
        }
    }

    fn left(&self, key: &Key, limit: &Limit) -> Option<Left> {
        let place = self.shared.place(key);
        let mut shard = lock(place.shard);
        shard.left(place.key, limit, self.shared.now())
    }
}

impl<C> Clone for MemoryStore<C> {
    fn clone(&self) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
        }
    }
}

impl<C: Clock> fmt::Debug for MemoryStore<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore")
            .field("keys", &self.keys())
            .finish_non_exhaustive()
    }
}

/// Where a key lives.
struct Place<'s> {
    shard: &'s Mutex<Shard>,
    number: usize,
    key: u128,
    budget: u128,
}

impl<C: Clock> Shared<C> {
    fn now(&self) -> Timestamp {
        let (begin, origin) = self.origin;
        origin.after(self.clock.now().saturating_duration_since(begin))
    }

    fn place(&self, key: &Key) -> Place<'_> {
        let (budget, key) = (self.hash(key.budget()), self.hash(key.as_str()));
        let number = (key >> 64) as usize % (self.others.len() + 1);
        Place {
            shard: self.others.get(number).unwrap_or(&self.first),
            number,
            key,
            budget,
        }
    }

    fn hash(&self, text: &str) -> u128 {
        let [high, low] = self.hashers.each_ref().map(|hasher| hasher.hash_one(text));
        u128::from(high) << 64 | u128::from(low)
    }
}

/// No code behind a lock panics, and if it did, each level would be whole.
fn lock(shard: &Mutex<Shard>) -> MutexGuard<'_, Shard> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

/// More than there are cores, so that two calls rarely meet.
const SHARDS: usize = 64;
