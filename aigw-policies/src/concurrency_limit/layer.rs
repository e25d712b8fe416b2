use std::sync::Arc;

use aigw_core::reject::{MakeRejection, Refuser};
use tower_layer::Layer;

use super::{ConcurrencyLimit, Config, ConfigError, Handle, limit::Limit};

/// Admits so many calls at once. See the [module](super).
///
/// The services that it makes share their places, as do those of its clones.
#[doc(alias = "limit-concurrency")]
#[derive(Clone, Debug)]
#[must_use]
pub struct ConcurrencyLimitLayer<T> {
    limit: Limit<T>,
}

impl<T> ConcurrencyLimitLayer<T> {
    /// Limits calls as `config` says; `timer` measures how long they wait. Without a queue nothing
    /// waits, and [`NoTimer`](aigw_core::rt::NoTimer) will do; with one it would never end a wait.
    ///
    /// # Errors
    ///
    /// A setting that cannot take effect.
    pub fn try_new(config: Config, timer: T) -> Result<Self, ConfigError> {
        let limit = Limit::try_new(config, timer)?;
        Ok(Self { limit })
    }

    /// Limits the calls of all processes whose stores share a namespace, by what Redis keeps (feature
    /// `redis`).
    ///
    /// A place is then held by a lease as well, which the store's driver renews every five seconds
    /// and which lasts for fifteen: those of a process that has died come free by themselves. The
    /// queue is that of this process, for its own places: a call that finds all of them taken by
    /// other processes is refused. While Redis does not answer, what the store was
    /// [made with](crate::budget::redis::OnError) decides.
    ///
    /// # Errors
    ///
    /// A setting that cannot take effect.
    #[cfg(feature = "redis")]
    pub fn with_store<U: aigw_core::rt::Timer>(
        mut config: Config,
        timer: T,
        store: crate::budget::redis::RedisStore<U>,
    ) -> Result<Self, ConfigError> {
        // Processes know it by its name.
        config.name.get_or_insert_with(|| "calls".into());
        let mut limit = Limit::try_new(config, timer)?;
        limit.lessor = Some(Arc::new(store));
        Ok(Self { limit })
    }

    /// Shows how full the limit is, and changes it.
    #[must_use]
    pub fn handle(&self) -> Handle {
        self.limit.handle()
    }

    /// Refuses with `make` in place of [`DialectJson`](aigw_core::reject::DialectJson).
    pub fn rejection(mut self, make: impl MakeRejection + Send + Sync + 'static) -> Self {
        self.limit.refuser = Refuser::new(make);
        self
    }
}

impl<S, T: Clone> Layer<S> for ConcurrencyLimitLayer<T> {
    type Service = ConcurrencyLimit<S, T>;

    fn layer(&self, inner: S) -> Self::Service {
        ConcurrencyLimit::new(inner, Arc::new(self.limit.clone()))
    }
}
