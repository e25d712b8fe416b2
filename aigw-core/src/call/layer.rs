use std::time::Duration;

use tower_layer::Layer;

use super::{
    budget::Budget,
    service::{CallService, Settings},
};
use crate::{
    reject::{MakeRejection, Refuser},
    rt::{NoTimer, Timer},
};

/// Reads each request's body once and passes it on as a [`CallBody`](super::CallBody).
///
/// See the [module](super) for what is read, what passes unread and what is refused.
#[derive(Clone, Debug)]
#[must_use]
pub struct CallLayer<T = NoTimer> {
    settings: Settings<T>,
}

impl CallLayer {
    /// The greatest body that is read unless set otherwise: 16 MiB, which holds a long conversation with several images.
    pub const DEFAULT_MAX_BODY_BYTES: usize = 16 << 20;

    /// The greatest number of bytes that all calls together hold unless set otherwise: 1 GiB.
    pub const DEFAULT_MAX_BUFFERED_BYTES: usize = 1 << 30;

    /// Reads bodies of up to [16 MiB](Self::DEFAULT_MAX_BODY_BYTES), [1 GiB](Self::DEFAULT_MAX_BUFFERED_BYTES) in
    /// all, however long they take.
    pub fn new() -> Self {
        Self {
            settings: Settings {
                max_body_bytes: Self::DEFAULT_MAX_BODY_BYTES,
                budget: Budget::new(Self::DEFAULT_MAX_BUFFERED_BYTES),
                timer: NoTimer,
                body_timeout: None,
                refuser: Refuser::default(),
            },
        }
    }
}

impl Default for CallLayer {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> CallLayer<T> {
    /// The greatest body that is read, in bytes. A larger one is a 413; zero admits only requests
    /// without a body.
    ///
    /// Bodies that pass unread are not counted.
    pub fn max_body_bytes(mut self, bytes: usize) -> Self {
        self.settings.max_body_bytes = bytes;
        self
    }

    /// The greatest number of bytes that all calls of this layer and its clones hold at once. A
    /// call that would pass it is a 503.
    ///
    /// A call holds its body until nobody needs it any more: until it has been sent, or, where a
    /// layer may send it again, until that layer knows that it need not.
    pub fn max_buffered_bytes(mut self, bytes: usize) -> Self {
        self.settings.budget = Budget::new(bytes);
        self
    }

    /// How long a body may take from the request's head to its last byte, measured by `timer`. A
    /// longer one is a 408; zero admits only what is there at once. Default: no bound.
    pub fn body_timeout<U: Timer>(self, timeout: Duration, timer: U) -> CallLayer<U> {
        let Settings {
            max_body_bytes,
            budget,
            refuser,
            ..
        } = self.settings;
        let body_timeout = Some(timeout);
        CallLayer {
            settings: Settings {
                max_body_bytes,
                budget,
                timer,
                body_timeout,
                refuser,
            },
        }
    }

    /// Refuses with `make` in place of [`DialectJson`](crate::reject::DialectJson).
    pub fn rejection(mut self, make: impl MakeRejection + Send + Sync + 'static) -> Self {
        self.settings.refuser = Refuser::new(make);
        self
    }
}

impl<S, T: Clone> Layer<S> for CallLayer<T> {
    type Service = CallService<S, T>;

    fn layer(&self, inner: S) -> Self::Service {
        CallService {
            inner,
            settings: self.settings.clone(),
        }
    }
}
