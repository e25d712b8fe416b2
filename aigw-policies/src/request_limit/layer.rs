use std::sync::Arc;

use aigw_core::{
    reject::{MakeRejection, Refuser},
    rt::{Clock, SystemClock},
};
use tower_layer::Layer;

use super::{
    Config, ConfigError, Handle, RequestLimit,
    gcra::{Decide, Gcra},
    limiter::Limiter,
};
use crate::budget::{Headers, Limit, MemoryStore, Store};

/// Admits so many requests in a time. See the [module](super).
///
/// The services that it makes share their levels, as do those of its clones.
#[doc(alias = "rate-limit-by-key")]
#[doc(alias = "quota-by-key")]
#[derive(Clone, Debug)]
#[must_use]
pub struct RequestLimitLayer<St = MemoryStore> {
    limiter: Arc<Limiter<St>>,
}

impl RequestLimitLayer {
    /// Limits requests in this process, for [so many](MemoryStore::DEFAULT_MAX_KEYS) keys at most.
    ///
    /// # Errors
    ///
    /// A rate of more than 2³² − 1 requests, or a condition that names no value.
    pub fn try_new(config: Config) -> Result<Self, ConfigError> {
        Self::with_clock(config, SystemClock, MemoryStore::DEFAULT_MAX_KEYS)
    }
}

impl<C: Clock> RequestLimitLayer<MemoryStore<C>> {
    /// The same on this clock, with about so many keys at most.
    ///
    /// # Errors
    ///
    /// As [`try_new`](RequestLimitLayer::try_new).
    pub fn with_clock(config: Config, clock: C, max_keys: usize) -> Result<Self, ConfigError> {
        let gcra = match &config.limit {
            Limit::Rate(rate) => {
                let gcra = Gcra::try_new(rate, clock.clone(), max_keys)?;
                Some(Arc::new(gcra) as Arc<dyn Decide>)
            }
            Limit::Quota(_) => None,
        };
        Self::new(config, MemoryStore::with_clock(clock, max_keys), gcra)
    }
}

impl<St: Store> RequestLimitLayer<St> {
    /// Limits requests by what a store keeps, which other limits and processes may share.
    ///
    /// # Errors
    ///
    /// A setting that cannot take effect, or a limit that the store cannot keep.
    pub fn with_store(config: Config, store: St) -> Result<Self, ConfigError> {
        store.check(&config.limit)?;
        Self::new(config, store, None)
    }
}

impl<St: Store> RequestLimitLayer<St> {
    fn new(config: Config, store: St, gcra: Option<Arc<dyn Decide>>) -> Result<Self, ConfigError> {
        let limiter = Arc::new(Limiter::new(config, store, gcra)?);
        Ok(Self { limiter })
    }

    /// Shows what is left of the limit, and changes it.
    #[must_use]
    pub fn handle(&self) -> Handle<St> {
        Handle::new(Arc::clone(&self.limiter))
    }
}

impl<St: Clone> RequestLimitLayer<St> {
    /// In which headers callers are told what they have left. Default: [`Headers::requests`].
    ///
    /// # Errors
    ///
    /// A name that stands twice, or that means something to HTTP or to clients that wait.
    pub fn headers(mut self, headers: Headers) -> Result<Self, ConfigError> {
        if let Some(name) = headers.fault(None) {
            return Err(ConfigError::Header(name.as_str().into()));
        }
        Arc::make_mut(&mut self.limiter).headers = headers;
        Ok(self)
    }

    /// Answers so when a request is refused.
    pub fn rejection(mut self, make: impl MakeRejection + Send + Sync + 'static) -> Self {
        Arc::make_mut(&mut self.limiter).refuser = Refuser::new(make);
        self
    }
}

impl<S, St> Layer<S> for RequestLimitLayer<St> {
    type Service = RequestLimit<S, St>;

    fn layer(&self, inner: S) -> Self::Service {
        RequestLimit {
            inner,
            limiter: Arc::clone(&self.limiter),
        }
    }
}
