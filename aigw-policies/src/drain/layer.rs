use tower_layer::Layer;

use super::{Bounds, Drain, rest::Drainer};

/// Reads answers to their end when their callers have hung up. See the [module](super).
#[derive(Clone, Debug)]
#[must_use]
pub struct DrainLayer<R> {
    drainer: Drainer<R>,
}

impl<R> DrainLayer<R> {
    /// Reads on within `bounds`, in tasks of `runtime`, which is also their clock.
    pub fn new(bounds: Bounds, runtime: R) -> Self {
        Self {
            drainer: Drainer::new(bounds, runtime),
        }
    }
}

impl<S, R: Clone> Layer<S> for DrainLayer<R> {
    type Service = Drain<S, R>;

    fn layer(&self, inner: S) -> Drain<S, R> {
        Drain::new(inner, self.drainer.clone())
    }
}
