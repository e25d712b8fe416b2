//! What is left of a rate: it fills all the time, up to its capacity, and may be overdrawn.
//!
//! Pure integers: the level is counted in parts of a unit that are chosen so that every microsecond
//! brings a whole number of them. So a wait is exact, and nothing is lost however often it is asked.

use std::time::Duration;

use super::{Fit, Timestamp, limit::Rate, timestamp::ceil_micros};

/// How a bucket of a [`Rate`] fills.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Flow {
    capacity: u64,
    /// Parts that come in a microsecond.
    inflow: u64,
    /// Parts of which a unit consists.
    parts: u64,
    /// The deepest debt, in units.
    max_debt: u64,
}

/// The level of one key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Bucket {
    /// In parts; negative in debt.
    level: i128,
    /// Of how many parts a unit consists, for the rate may be changed while this lives.
    parts: u64,
    at: Timestamp,
}

impl Flow {
    pub(super) fn of(rate: &Rate) -> Self {
        let per = ceil_micros(rate.per());
        let shared = gcd(rate.amount(), per);
        let (inflow, parts) = (rate.amount() / shared, per / shared);
        let repaid = u128::from(ceil_micros(rate.max_debt())) * u128::from(inflow);
        Self {
            capacity: rate.amount(),
            inflow,
            parts,
            max_debt: u64::try_from(repaid / u128::from(parts)).unwrap_or(u64::MAX),
        }
    }

    fn in_parts(&self, units: u64) -> i128 {
        i128::from(units) * i128::from(self.parts)
    }

    /// How long this many parts take to come, in whole microseconds.
    fn time_for(&self, parts: i128) -> Duration {
        let micros = u128::try_from(parts).map_or(0, |parts| parts.div_ceil(self.inflow.into()));
        Duration::from_micros(u64::try_from(micros).unwrap_or(u64::MAX))
    }
}

impl Bucket {
    /// A key that has not been seen.
    pub(super) fn full(flow: &Flow, now: Timestamp) -> Self {
        Self {
            level: flow.in_parts(flow.capacity),
            parts: flow.parts,
            at: now,
        }
    }

    /// Lets in what has come since the last time. A clock that steps back brings nothing, and
    /// brings nothing twice.
    pub(super) fn advance(&mut self, flow: &Flow, now: Timestamp) {
        if self.parts != flow.parts {
            // Rounded down: a part of a unit that a change of the rate loses was nobody's.
            let units = self.level * i128::from(flow.parts);
            self.level = units.div_euclid(self.parts.into());
            self.parts = flow.parts;
        }
        if now > self.at {
            let elapsed = i128::from(now.as_micros() - self.at.as_micros());
            self.level = self
                .level
                .saturating_add(elapsed.saturating_mul(flow.inflow.into()));
            self.at = now;
        }
        self.level = self.level.min(flow.in_parts(flow.capacity));
    }

    /// Whether so much can be taken, as of the last [`advance`](Self::advance).
    pub(super) fn fit(&self, flow: &Flow, now: Timestamp, amount: u64) -> Fit {
        let lacking = flow.in_parts(amount) - self.level;
        if amount > flow.capacity {
            Fit::Never
        } else if lacking > 0 {
            // A clock that stepped back must first come to where it was.
            Fit::Later(self.at.since(now).saturating_add(flow.time_for(lacking)))
        } else {
            Fit::Now
        }
    }

    pub(super) fn take(&mut self, flow: &Flow, amount: u64) {
        self.level -= flow.in_parts(amount);
    }

    /// Corrects what was taken to what was used. What is given back fills no bucket beyond its
    /// capacity; what was used beyond it is a debt, down to the deepest.
    pub(super) fn settle(&mut self, flow: &Flow, taken: u64, used: u64) {
        let level = self.level + flow.in_parts(taken) - flow.in_parts(used);
        let lowest = -flow.in_parts(flow.max_debt);
        let highest = flow.in_parts(flow.capacity);
        // A debt of before a change of the limit is not deepened, but neither is it forgiven.
        self.level = level.clamp(lowest.min(self.level), highest);
    }

    /// Whole units that are left.
    pub(super) fn remaining(&self, flow: &Flow) -> u64 {
        let units = self.level.max(0) / i128::from(flow.parts);
        u64::try_from(units).unwrap_or(u64::MAX)
    }

    /// How long until it is full, if nothing more is taken.
    pub(super) fn full_in(&self, flow: &Flow) -> Duration {
        flow.time_for(flow.in_parts(flow.capacity) - self.level)
    }
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a.max(1) } else { gcd(b, a % b) }
}
