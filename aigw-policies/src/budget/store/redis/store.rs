use std::{
    fmt,
    future::poll_fn,
    hash::{BuildHasher, RandomState},
    sync::Arc,
    task::Poll,
};

use aigw_core::{observe::Observe, rt::Timer};
use redis::aio::ConnectionLike;

use super::{
    Config, Driver, Reserving, Stats,
    line::Line,
    outbox::{Correction, What},
    shared::{Handle, Shared},
    wire,
};
use crate::budget::{
    Claim, Hold, Key, Left, Limit, LimitError, Store,
    store::{Kept, sealed::Sealed},
};

/// Keeps levels in Redis, or in what speaks its protocol and runs its scripts, as Valkey does.
///
/// Clones share a connection. See the [module](super).
#[derive(Clone)]
pub struct RedisStore<T: Timer> {
    pub(super) handle: Arc<Handle<T>>,
}

impl<T: Timer> RedisStore<T> {
    /// A store over this connection, and its driver, which is to be spawned: without it nothing is
    /// settled.
    ///
    /// The connection should reconnect by itself, as redis's `ConnectionManager` and cluster
    /// connections do.
    pub fn new<C>(connection: C, timer: T, config: Config) -> (Self, Driver)
    where
        C: ConnectionLike + Clone + Send + Sync + 'static,
    {
        Self::with_observe(connection, timer, config, ())
    }

    /// The same, telling `observe` when Redis is lost, found, and found to have forgotten.
    pub fn with_observe<C>(
        connection: C,
        timer: T,
        config: Config,
        observe: impl Observe + Send + Sync + 'static,
    ) -> (Self, Driver)
    where
        C: ConnectionLike + Clone + Send + Sync + 'static,
    {
        let random = || RandomState::new().hash_one("process");
        let process = format!("{:016x}{:016x}", random(), random());
        let shared = Arc::new(Shared::new(
            config,
            process,
            timer,
            Line::new(connection),
            Arc::new(observe),
        ));
        let driver = Driver::new(Arc::clone(&shared));
        let handle = Arc::new(Handle(shared));
        (Self { handle }, driver)
    }

    /// Completes when Redis knows of everything that was settled, and of every decision that nobody
    /// waited for. It does not as long as Redis does not answer.
    ///
    /// # Cancel safety
    ///
    /// Dropping it stops nothing.
    pub async fn flush(&self) {
        let shared = self.shared();
        poll_fn(|cx| match shared.is_done(cx.waker()) {
            true => Poll::Ready(()),
            false => Poll::Pending,
        })
        .await;
    }

    /// What has become of its calls so far.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.shared().stats()
    }

    pub(super) fn shared(&self) -> &Shared<T> {
        &self.handle.0
    }

    /// Answers whether what it says has been done, or will be.
    fn correct(&self, hold: &Hold, what: What, used: u64) -> bool {
        let shared = self.shared();
        let Hold {
            claim, taken, kept, ..
        } = hold;
        let is_kept = match kept {
            Kept::Redis => {
                let correction = Correction {
                    key: claim.key.as_str().to_owned(),
                    limit: claim.limit,
                    what,
                    from: taken.from().as_micros(),
                    taken: taken.amount,
                    used,
                };
                shared.leave(|inbox| inbox.outbox.push(correction))
            }
            Kept::Share(share) => {
                let (home, limit) = &**share;
                match what {
                    What::Settle => shared.local.settle_one(*home, limit, *taken, used),
                    What::Lower => shared.local.lower_one(*home, limit, used),
                    What::Extend => {
                        let (mut taken, more) = (*taken, used.saturating_sub(taken.amount));
                        shared.local.extend_one(*home, limit, &mut taken, more);
                    }
                }
                true
            }
            Kept::Memory(_) | Kept::Nowhere => true,
        };
        // A period outlasts an outage, so what is used of its quota meanwhile counts. A rate has
        // flowed on by then.
        if let (Kept::Share(_) | Kept::Nowhere, What::Settle, Limit::Quota(_)) =
            (kept, what, claim.limit)
        {
            let (key, at) = (claim.key.as_str(), taken.from().as_micros());
            shared.leave(|inbox| inbox.outbox.push_unasked(key, claim.limit, at, used));
        }
        is_kept
    }
}

impl<T: Timer> Sealed for RedisStore<T> {}

impl<T: Timer> Store for RedisStore<T> {
    type Reserving = Reserving<T>;

    fn check(&self, limit: &Limit) -> Result<(), LimitError> {
        if wire::is_exact(limit) {
            Ok(())
        } else {
            Err(LimitError::Inexact)
        }
    }

    fn reserve(&self, claims: Vec<Claim>) -> Reserving<T> {
        Reserving::new(Arc::clone(&self.handle), claims)
    }

    fn extend(&self, holds: &mut [Hold], more: &[u64]) {
        for (hold, more) in holds.iter_mut().zip(more) {
            let used = hold.taken.amount.saturating_add(*more);
            // What was not taken must not be given back.
            if self.correct(hold, What::Extend, used) {
                hold.taken.amount = used;
            }
        }
    }

    fn lower(&self, hold: &Hold, most: u64) {
        self.correct(hold, What::Lower, most);
    }

    fn charge(&self, hold: &Hold, key: Key, used: u64) {
        let (limit, at) = (hold.claim.limit, hold.taken.from().as_micros());
        let key = key.as_str();
        self.shared()
            .leave(|inbox| inbox.outbox.push_unasked(key, limit, at, used));
    }

    fn settle(&self, holds: Vec<Hold>, used: &[u64]) {
        for (hold, used) in holds.iter().zip(used) {
            self.correct(hold, What::Settle, *used);
        }
    }

    /// Nothing: to know it, Redis would have to be asked.
    fn left(&self, _: &Key, _: &Limit) -> Option<Left> {
        None
    }
}

impl<T: Timer> fmt::Debug for RedisStore<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisStore")
            .field("namespace", &self.shared().config.namespace())
            .field("stats", &self.stats())
            .finish_non_exhaustive()
    }
}
