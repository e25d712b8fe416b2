//! Places that many processes share: who has one holds a lease of it.
#![cfg_attr(
    not(feature = "redis"),
    expect(dead_code, reason = "what gives out leases is behind the feature")
)]

use std::fmt;

use aigw_core::reject::Refusal;

use crate::{boxed::Boxed, budget::Key};

/// Gives out leases.
pub(crate) trait Lessor: Send + Sync {
    /// Takes a lease of a key, if fewer than so many are held in all processes.
    fn lease(&self, key: &Key, calls: usize) -> Leasing;
}

/// A lease that is being asked for. Dropped, nothing stays taken.
pub(crate) type Leasing = Boxed<Leased>;

pub(crate) enum Leased {
    Held(Lease),
    /// Nobody could be asked. It is to stand if this process is one of so many and has no more than
    /// its share of all places.
    OfShare(Lease, usize),
    /// Others hold all of them.
    Full,
    Refused(Refusal),
}

/// It is kept alive elsewhere, and given back when dropped.
pub(crate) struct Lease(#[expect(dead_code, reason = "it is dropped")] Box<dyn Send + Sync>);

impl Lease {
    pub(crate) fn new(held: impl Send + Sync + 'static) -> Self {
        Self(Box::new(held))
    }
}

impl fmt::Debug for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lease").finish_non_exhaustive()
    }
}
