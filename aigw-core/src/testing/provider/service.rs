use std::{
    convert::Infallible,
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll},
    time::{Duration, Instant},
};

use http::{Request, Response};
use http_body::Body;
use tower_service::Service;

use super::{
    Config, Received, ResponseBody, ResponseFuture, limit::Bucket, log::Log, simulation::Attempts,
};
use crate::rt::Timer;

/// A provider that answers like the vendors, and as scripts tell it to; see the
/// [module](super) for how.
///
/// Always ready; never fails; clones are the same provider. Time is that of its [`Timer`].
pub struct Provider<T> {
    shared: Arc<Shared>,
    timer: T,
}

impl<T: Timer> Provider<T> {
    /// A provider that serves every model to everyone, at once and without limit.
    #[must_use]
    pub fn new(timer: T) -> Self {
        Self::with_config(Config::default(), timer)
    }

    /// A provider with a character of its own.
    #[must_use]
    pub fn with_config(config: Config, timer: T) -> Self {
        let shared = Arc::new(Shared {
            config,
            log: Arc::default(),
            attempts: Mutex::default(),
            bucket: Mutex::default(),
            numbers: AtomicU64::new(0),
        });
        Self { shared, timer }
    }
}

impl<T> Provider<T> {
    /// The calls that reached it, oldest first: the latest of them, see [`Config::kept_calls`].
    #[must_use]
    pub fn calls(&self) -> Vec<Received> {
        self.shared.log.calls()
    }

    /// Forgets the calls so far. Those in flight still count as such.
    pub fn clear_calls(&self) {
        self.shared.log.clear();
    }

    /// Calls whose request is being read, or whose answer has been neither read to its end nor
    /// dropped.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.shared.log.in_flight()
    }

    /// How it was made.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.shared.config
    }
}

impl<B, T> Service<Request<B>> for Provider<T>
where
    B: Body,
    T: Timer,
{
    type Response = Response<ResponseBody<T>>;
    type Error = Infallible;
    type Future = ResponseFuture<B, T>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let (head, body) = request.into_parts();
        let entry = self.shared.log.enter(&head, self.shared.config.kept_calls);
        let shared = Arc::clone(&self.shared);
        ResponseFuture::new(shared, self.timer.clone(), head, entry, body)
    }
}

impl<T: Clone> Clone for Provider<T> {
    fn clone(&self) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
            timer: self.timer.clone(),
        }
    }
}

impl<T> fmt::Debug for Provider<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Provider")
            .field("config", &self.shared.config)
            .finish_non_exhaustive()
    }
}

/// What the clones of a provider have in common.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) config: Config,
    log: Arc<Log>,
    attempts: Mutex<Attempts>,
    /// Made at the first call, which says what time it is.
    bucket: Mutex<Option<Bucket>>,
    numbers: AtomicU64,
}

impl Shared {
    pub(super) fn attempts(&self) -> MutexGuard<'_, Attempts> {
        self.attempts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Charges the tokens of a call: how many are left, if there is a limit, or how long to wait.
    pub(super) fn take(&self, now: Instant, tokens: u64) -> Result<Option<u64>, Duration> {
        let Some(limit) = self.config.tokens_per_minute else {
            return Ok(None);
        };
        let mut bucket = self.bucket.lock().unwrap_or_else(PoisonError::into_inner);
        let bucket = bucket.get_or_insert_with(|| Bucket::new(limit, now));
        bucket.take(now, tokens).map(Some)
    }

    /// The number of this call, from zero.
    pub(super) fn next_number(&self) -> u64 {
        // A counter that nothing else is ordered by.
        self.numbers.fetch_add(1, Ordering::Relaxed)
    }
}
