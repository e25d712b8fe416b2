use tower_layer::Layer;

use super::{AcrossService, Carry};

/// Brackets a foreign layer so that the meter passes it. See the [module](super).
#[derive(Clone, Debug)]
#[must_use]
pub struct Across<L> {
    foreign: L,
}

impl<L> Across<L> {
    /// Carries the meter past `foreign`.
    pub fn new(foreign: L) -> Self {
        Self { foreign }
    }
}

impl<S, L> Layer<S> for Across<L>
where
    L: Layer<Carry<S>>,
{
    type Service = AcrossService<L::Service>;

    fn layer(&self, inner: S) -> Self::Service {
        AcrossService::new(self.foreign.layer(Carry::new(inner)))
    }
}
