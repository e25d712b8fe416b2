//! What the refusals of all limits say alike.

use std::time::Duration;

use aigw_core::reject::{Reason, Refusal};

use super::Limit;

/// Why a call is refused by a limit that it may fit into later.
pub(crate) const fn reason(limit: &Limit) -> Reason {
    match limit {
        Limit::Rate(_) => Reason::RateLimit,
        Limit::Quota(_) => Reason::Quota,
    }
}

/// The refusal where the store could not be asked, and is not to be asked for so long.
pub(crate) fn unavailable(wait: Duration) -> Refusal {
    let message = "what is left of the limits cannot be told at present";
    Refusal::new(Reason::Unavailable, message).retry_after(wait)
}
