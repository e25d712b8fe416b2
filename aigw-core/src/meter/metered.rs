use bytes::Bytes;
use http_body::Body;

use super::{Ending, Meter};

/// A response body that knows what passed through it.
///
/// [`MeterLayer`](super::MeterLayer) makes them; each policy's response body wraps one and is one,
/// by forwarding both methods. A policy reads the meter when the body ends, fails or is dropped;
/// all policies then see the same figures.
#[diagnostic::on_unimplemented(
    message = "`{Self}` carries no meter: this policy needs a `MeterLayer` below it",
    label = "this response body is not `Metered`",
    note = "put `aigw_core::meter::MeterLayer` between this policy and the provider, or bracket the policy with `aigw_core::around`",
    note = "a foreign layer in between hides the meter: wrap that layer in `aigw_core::meter::Across`"
)]
pub trait Metered: Body<Data = Bytes> {
    /// What the answer has shown so far.
    fn meter(&self) -> &Meter;

    /// How the answer ended, or would be seen to end if it were dropped now. A body that cuts the
    /// answer short overrides this.
    fn ending(&self) -> Ending;
}
