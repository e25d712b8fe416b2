use std::{
    cmp::Reverse,
    fmt,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::{Duration, Instant},
};

use aigw_core::rt::{Clock, SystemClock};

use super::{
    super::{Fit, Left, Limit, Taken, Timestamp},
    Claim, Hold, Kept, Key, Refused, Store, Verdict,
    sealed::Sealed,
    shard::{Home, Shard},
    shards::{Place, Shards, lock},
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
/// let Verdict::Admitted(holds) = store.reserve(vec![claim(80)]).await else {
///     panic!("80 of 100 fit");
/// };
/// let Verdict::Refused(refused) = store.reserve(vec![claim(80)]).await else {
///     panic!("another 80 do not");
/// };
/// assert!(refused.wait > Some(Duration::from_secs(35)));
///
/// store.settle(holds, &[20]);
/// assert!(matches!(store.reserve(vec![claim(80)]).await, Verdict::Admitted(_)));
/// # Ok(())
/// # }
/// ```
pub struct MemoryStore<C = SystemClock> {
    shared: Arc<Shared<C>>,
}

struct Shared<C> {
    shards: Shards<Shard>,
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
        Self {
            shared: Arc::new(Shared {
                shards: Shards::new(max_keys, Shard::new),
                origin: (clock.now(), clock.wall().into()),
                clock,
            }),
        }
    }

    /// How many keys are kept.
    #[must_use]
    pub fn keys(&self) -> usize {
        self.shared.shards.sum(Shard::len)
    }

    pub(super) fn extend_one(&self, home: Home, limit: &Limit, taken: &mut Taken, more: u64) {
        let mut shard = lock(self.shared.shards.place(home.key).shard);
        shard.extend(home, limit, self.shared.now(), taken, more);
    }

    pub(super) fn lower_one(&self, home: Home, limit: &Limit, most: u64) {
        let mut shard = lock(self.shared.shards.place(home.key).shard);
        shard.lower(home, limit, self.shared.now(), most);
    }

    pub(super) fn settle_one(&self, home: Home, limit: &Limit, taken: Taken, used: u64) {
        let mut shard = lock(self.shared.shards.place(home.key).shard);
        shard.settle(home, limit, self.shared.now(), taken, used);
    }

    /// [`reserve`](Store::reserve), at once.
    #[must_use]
    pub fn reserve_now(&self, claims: Vec<Claim>) -> Verdict {
        let claims = claims.into_iter().enumerate();
        let mut asked: Vec<_> = claims
            .map(|(index, claim)| Asked::new(index, claim, &self.shared))
            .collect();
        // Locked in the order of the shards, so that no two calls wait for each other.
        asked.sort_unstable_by_key(|asked| (asked.place.number, asked.home.key.0));
        let mut shards: Vec<_> = asked
            .chunk_by_mut(|one, next| one.place.number == next.place.number)
            .filter_map(|asked| Some((lock(asked.first()?.place.shard), asked)))
            .collect();
        let now = self.shared.now();
        let mut refused = None;
        for (shard, asked) in &mut shards {
            let mut before = Vec::new();
            for asked in &mut **asked {
                refused = tighter(refused, asked.weigh(shard, now, &mut before));
            }
        }
        if let Some(refused) = refused {
            return Verdict::Refused(refused);
        }
        for (shard, asked) in &mut shards {
            asked.iter_mut().for_each(|asked| asked.take(shard, now));
        }
        drop(shards);
        asked.sort_unstable_by_key(|asked| asked.index);
        Verdict::Admitted(asked.into_iter().filter_map(Asked::hold).collect())
    }
}

/// The verdict of a [`MemoryStore`], which is there at the first poll. Nothing is taken before.
#[derive(Debug)]
#[must_use = "futures do nothing unless polled"]
pub struct Reserving<C: Clock = SystemClock> {
    store: MemoryStore<C>,
    /// `None` once the verdict has been told.
    claims: Option<Vec<Claim>>,
}

impl<C: Clock> Future for Reserving<C> {
    type Output = Verdict;

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Self::Output> {
        match self.claims.take() {
            Some(claims) => Poll::Ready(self.store.reserve_now(claims)),
            None => Poll::Pending,
        }
    }
}

/// A claim on its way through a decision.
struct Asked<'s> {
    /// Its place among the claims of the call.
    index: usize,
    claim: Claim,
    place: Place<'s, Shard>,
    home: Home,
    taken: Option<(Taken, Left)>,
}

impl<'s> Asked<'s> {
    fn new<C>(index: usize, claim: Claim, shared: &'s Shared<C>) -> Self {
        let home = shared.home(&claim.key);
        Self {
            index,
            claim,
            place: shared.shards.place(home.key),
            home,
            taken: None,
        }
    }

    /// Why it cannot be taken, if what the call asks of the same level `before` is.
    fn weigh(
        &mut self,
        shard: &mut Shard,
        now: Timestamp,
        before: &mut Vec<(Home, u64)>,
    ) -> Option<Refused> {
        let Claim { limit, amount, .. } = &self.claim;
        self.home.shared = !shard.has_place_for(self.home.key, now);
        let same = |home: &Home| match (home.shared, self.home.shared) {
            (true, true) => home.budget == self.home.budget,
            _ => home.key == self.home.key,
        };
        let asked = before.iter().filter(|(home, _)| same(home));
        let amount = asked.fold(*amount, |sum, (_, asked)| sum.saturating_add(*asked));
        before.push((self.home, self.claim.amount));
        let (fit, left) = shard.fit(self.home, limit, now, amount).err()?;
        let wait = match fit {
            Fit::Later(wait) => Some(wait),
            _ => None,
        };
        Some(Refused {
            claim: self.index,
            wait,
            left,
        })
    }

    fn take(&mut self, shard: &mut Shard, now: Timestamp) {
        let Claim { limit, amount, .. } = &self.claim;
        self.taken = Some(shard.take(self.home, limit, now, *amount));
    }

    fn hold(self) -> Option<Hold> {
        let (taken, left) = self.taken?;
        Some(Hold {
            claim: self.claim,
            taken,
            kept: Kept::Memory(self.home),
            left: Some(left),
        })
    }
}

/// The refusal that decides: what never fits over what fits later, the longer wait, the first.
fn tighter(before: Option<Refused>, refused: Option<Refused>) -> Option<Refused> {
    let rank = |refused: &Refused| {
        let wait = refused.wait.unwrap_or(Duration::MAX);
        (wait, Reverse(refused.claim))
    };
    before.into_iter().chain(refused).max_by_key(rank)
}

impl<C: Clock> Sealed for MemoryStore<C> {}

impl<C: Clock> Store for MemoryStore<C> {
    type Reserving = Reserving<C>;

    fn reserve(&self, claims: Vec<Claim>) -> Reserving<C> {
        Reserving {
            store: self.clone(),
            claims: Some(claims),
        }
    }

    fn extend(&self, holds: &mut [Hold], more: &[u64]) {
        for (hold, more) in holds.iter_mut().zip(more) {
            if let Some(home) = hold.kept.home() {
                self.extend_one(home, &hold.claim.limit, &mut hold.taken, *more);
            }
        }
    }

    fn lower(&self, hold: &Hold, most: u64) {
        if let Some(home) = hold.kept.home() {
            self.lower_one(home, &hold.claim.limit, most);
        }
    }

    fn charge(&self, hold: &Hold, key: Key, used: u64) {
        let mut home = self.shared.home(&key);
        let mut shard = lock(self.shared.shards.place(home.key).shard);
        let now = self.shared.now();
        home.shared = !shard.has_place_for(home.key, now);
        let mut nothing = hold.taken;
        nothing.amount = 0;
        shard.settle(home, &hold.claim.limit, now, nothing, used);
    }

    fn settle(&self, holds: Vec<Hold>, used: &[u64]) {
        // One after the other: a settlement decides nothing, so it needs no common instant.
        for (hold, used) in holds.iter().zip(used) {
            if let Some(home) = hold.kept.home() {
                self.settle_one(home, &hold.claim.limit, hold.taken, *used);
            }
        }
    }

    fn left(&self, key: &Key, limit: &Limit) -> Option<Left> {
        let home = self.shared.home(key);
        let mut shard = lock(self.shared.shards.place(home.key).shard);
        Some(shard.left(home, limit, self.shared.now()))
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

impl<C: Clock> Shared<C> {
    fn now(&self) -> Timestamp {
        let (begin, origin) = self.origin;
        origin.after(self.clock.now().saturating_duration_since(begin))
    }
}

impl<C> Shared<C> {
    /// Which level is a key's, as long as there is room for one of its own.
    fn home(&self, key: &Key) -> Home {
        Home {
            key: self.shards.id(key.as_str()),
            budget: self.shards.id(key.budget()),
            shared: false,
        }
    }
}
