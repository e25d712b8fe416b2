use std::sync::Arc;

use aigw_core::reject::MakeRejection;
use tower_layer::Layer;

use super::{Transform, Upstream};
use crate::refuse::Refuse;

/// Makes each call one for a backend. See the [module](super).
#[derive(Clone, Debug)]
#[must_use]
pub struct TransformLayer {
    upstream: Arc<Upstream>,
    refuse: Refuse,
}

impl TransformLayer {
    /// Asks `upstream`.
    pub fn new(upstream: Upstream) -> Self {
        Self {
            upstream: Arc::new(upstream),
            refuse: Refuse::default(),
        }
    }

    /// Refuses with `make` in place of [`DialectJson`](aigw_core::reject::DialectJson).
    pub fn rejection(mut self, make: impl MakeRejection + Send + Sync + 'static) -> Self {
        self.refuse = Refuse::new(make);
        self
    }
}

impl<S> Layer<S> for TransformLayer {
    type Service = Transform<S>;

    fn layer(&self, inner: S) -> Transform<S> {
        Transform::new(inner, Arc::clone(&self.upstream), self.refuse.clone())
    }
}
