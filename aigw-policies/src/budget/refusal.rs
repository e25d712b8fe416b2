//! What the refusals of all limits say alike.

use std::{fmt, time::Duration};

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

/// How long a call has to wait, in seconds with milliseconds, which are rounded up.
pub(crate) struct Wait(pub(crate) Duration);

impl fmt::Display for Wait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = self.0.as_nanos().div_ceil(1_000_000);
        write!(f, "{}.{:03} s", ms / 1000, ms % 1000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_rounded_up() {
        for (micros, text) in [(0, "0.000 s"), (1, "0.001 s"), (61_020_000, "61.020 s")] {
            assert_eq!(Wait(Duration::from_micros(micros)).to_string(), text);
        }
    }
}
