use tower_layer::Layer;

use crate::{
    call::{CallLayer, CallService},
    meter::{MeterLayer, MeterService},
};

/// Brackets a policy with a [`CallLayer`] above it and a [`MeterLayer`] below it, both with their
/// defaults.
///
/// For whoever needs a single policy; several policies share one call and one meter.
///
/// # Examples
///
/// ```
/// use aigw_core::{around, meter::{Ended, ReportLayer}};
///
/// let layer = around(ReportLayer::new(|ended: &Ended<'_>| {
///     println!("{:?} used {:?}", ended.call.model(), ended.meter.usage());
/// }));
/// # let _ = layer;
/// ```
pub fn around<L>(policy: L) -> Around<L> {
    Around { policy }
}

/// A policy between a call and a meter; made by [`around`].
#[derive(Clone, Debug)]
#[must_use]
pub struct Around<L> {
    policy: L,
}

impl<S, L> Layer<S> for Around<L>
where
    L: Layer<MeterService<S>>,
{
    type Service = CallService<L::Service>;

    fn layer(&self, inner: S) -> Self::Service {
        CallLayer::new().layer(self.policy.layer(MeterLayer::new().layer(inner)))
    }
}
