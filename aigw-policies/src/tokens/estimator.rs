use std::{fmt::Debug, sync::Arc};

use aigw_core::call::Call;

use super::{Counting, Estimate};

/// Says how many tokens the prompt of a call has.
///
/// Three are here: [`Off`], [`Fast`](super::Fast) and `Exact` (feature `tiktoken`). A tokenizer of
/// one's own is another.
///
/// No method waits, and only [`count`](Self::count) may be handed work that takes longer than a
/// reactor should be held: it then gives that work back.
pub trait Estimator: Debug + Send + Sync {
    /// Estimates in one pass over the prompt, without a tokenizer.
    ///
    /// A call whose body was not read, or that has no prompt, is nothing: zero, at least and at
    /// most.
    fn estimate(&self, call: &Call) -> Estimate;

    /// Counts by the tokenizer of the call's model, where it is known.
    ///
    /// Costs far more than an estimate: ask only where the figure between
    /// [`at_least`](Estimate::at_least) and [`at_most`](Estimate::at_most) can change what is
    /// decided.
    fn count(&self, call: &Arc<Call>) -> Counting {
        let _ = call;
        Counting::Unknown
    }

    /// Learns what the provider counted for a call that was estimated. The call may be [one that is
    /// over](aigw_core::meter::Ended::call).
    fn settle(&self, call: &Call, estimate: &Estimate, actual: u64) {
        let _ = (call, estimate, actual);
    }
}

/// Counts nothing: every prompt is zero tokens until its answer says otherwise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Off;

impl Estimator for Off {
    fn estimate(&self, _: &Call) -> Estimate {
        Estimate::default()
    }
}

impl<E: Estimator + ?Sized> Estimator for Arc<E> {
    fn estimate(&self, call: &Call) -> Estimate {
        (**self).estimate(call)
    }

    fn count(&self, call: &Arc<Call>) -> Counting {
        (**self).count(call)
    }

    fn settle(&self, call: &Call, estimate: &Estimate, actual: u64) {
        (**self).settle(call, estimate, actual);
    }
}
