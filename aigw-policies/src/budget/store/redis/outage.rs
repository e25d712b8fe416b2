//! What is decided while Redis does not answer.

use std::time::Duration;

use aigw_core::rt::Timer;

use super::{OnError, shared::Shared};
use crate::budget::{Claim, Hold, Limit, Refused, Verdict, level::Taken, store::Kept};

/// How long callers are told to wait when nothing can be decided.
pub(super) const RETRY: Duration = Duration::from_secs(1);

/// Decides without Redis.
pub(super) fn verdict<T: Timer>(shared: &Shared<T>, claims: Vec<Claim>) -> Verdict {
    shared.undecided.count();
    match shared.config.on_error {
        OnError::Allow => {
            let now = shared.wall();
            let holds = claims.into_iter().map(|claim| Hold {
                taken: Taken::of(&claim.limit, claim.amount, now),
                claim,
                kept: Kept::Nowhere,
                left: None,
            });
            Verdict::Admitted(holds.collect())
        }
        OnError::Deny => Verdict::Unavailable(RETRY),
        OnError::Local => {
            let wanted: Vec<_> = claims.iter().map(|it| (it.limit, it.amount)).collect();
            let processes = shared.processes() as u64;
            let shares = claims.into_iter().map(|claim| Claim {
                limit: share(&claim.limit, processes),
                ..claim
            });
            match shared.local.reserve_now(shares.collect()) {
                Verdict::Admitted(holds) => {
                    let holds = holds.into_iter().zip(wanted);
                    Verdict::Admitted(
                        holds
                            .map(|(hold, (limit, _))| of_share(hold, limit))
                            .collect(),
                    )
                }
                // What is too much for a share may still fit into the whole.
                Verdict::Refused(Refused {
                    wait: None, claim, ..
                }) if wanted
                    .get(claim)
                    .is_some_and(|(limit, amount)| *amount <= limit.amount()) =>
                {
                    Verdict::Unavailable(RETRY)
                }
                verdict => verdict,
            }
        }
    }
}

/// What one of so many processes may admit of a limit.
fn share(limit: &Limit, processes: u64) -> Limit {
    match limit {
        Limit::Rate(rate) => Limit::Rate(rate.share(processes)),
        Limit::Quota(quota) => Limit::Quota(quota.share(processes)),
    }
}

/// A hold of a share, as one of the limit that it is a share of.
fn of_share(hold: Hold, limit: Limit) -> Hold {
    let share = hold.claim.limit;
    let share = hold.kept.home().map(|home| Box::new((home, share)));
    let kept = share.map_or(Kept::Nowhere, Kept::Share);
    Hold {
        claim: Claim {
            limit,
            ..hold.claim
        },
        kept,
        ..hold
    }
}
