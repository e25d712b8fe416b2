use aigw_core::reject::{MakeRejection, Refuser};
use tower_layer::Layer;

use super::{ConfigError, Timeout, Timeouts};

/// Ends calls that take too long. See the [module](super).
#[derive(Clone, Debug)]
#[must_use]
pub struct TimeoutLayer<T> {
    timeouts: Timeouts,
    timer: T,
    refuser: Refuser,
}

impl<T> TimeoutLayer<T> {
    /// Bounds each call by `timeouts`, measured by `timer`.
    ///
    /// # Errors
    ///
    /// A deadline that is zero, or above `total`.
    pub fn try_new(timeouts: Timeouts, timer: T) -> Result<Self, ConfigError> {
        timeouts.check()?;
        Ok(Self {
            timeouts,
            timer,
            refuser: Refuser::default(),
        })
    }

    /// Answers with `make` in place of [`DialectJson`](aigw_core::reject::DialectJson).
    pub fn rejection(mut self, make: impl MakeRejection + Send + Sync + 'static) -> Self {
        self.refuser = Refuser::new(make);
        self
    }
}

impl<S, T: Clone> Layer<S> for TimeoutLayer<T> {
    type Service = Timeout<S, T>;

    fn layer(&self, inner: S) -> Self::Service {
        Timeout::new(
            inner,
            self.timeouts,
            self.timer.clone(),
            self.refuser.clone(),
        )
    }
}
