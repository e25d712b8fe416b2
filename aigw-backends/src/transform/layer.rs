use std::sync::Arc;

use aigw_core::reject::{MakeRejection, Refuser};
use tower_layer::Layer;

use super::{Transform, Upstream};

/// Makes each call one for a backend. See the [module](super).
#[derive(Clone, Debug)]
#[must_use]
pub struct TransformLayer {
    upstream: Arc<Upstream>,
    refuser: Refuser,
}

impl TransformLayer {
    /// Asks `upstream`.
    pub fn new(upstream: Upstream) -> Self {
        Self {
            upstream: Arc::new(upstream),
            refuser: Refuser::default(),
        }
    }

    /// Refuses with `make` in place of [`DialectJson`](aigw_core::reject::DialectJson).
    pub fn rejection(mut self, make: impl MakeRejection + Send + Sync + 'static) -> Self {
        self.refuser = Refuser::new(make);
        self
    }
}

impl<S> Layer<S> for TransformLayer {
    type Service = Transform<S>;

    fn layer(&self, inner: S) -> Transform<S> {
        Transform::new(inner, Arc::clone(&self.upstream), self.refuser.clone())
    }
}
