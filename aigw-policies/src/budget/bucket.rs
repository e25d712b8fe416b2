//! What is left of a rate: it fills all the time, up to its capacity, and may be overdrawn.
//!
//! Pure integers: the level is counted in parts of a unit that are chosen so that every microsecond
//! brings a whole number of them. So a wait is exact, and nothing is lost however often it is asked.

use std::time::Duration;

use super::{Fit, Timestamp, timestamp::ceil_micros};

/// How the buckets of a [`Rate`](super::Rate) fill.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Flow {
    pub(super) capacity: u64,
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
    level: Wide,
    at: Timestamp,
    /// When it was last full: what was taken before has flowed back.
    since: Timestamp,
}

impl Flow {
    pub(super) fn new(capacity: u64, per: Duration, max_debt: Duration) -> Self {
        let per = ceil_micros(per);
        let shared = gcd(capacity, per);
        let (inflow, parts) = (capacity / shared, per / shared);
        let repaid = u128::from(ceil_micros(max_debt)) * u128::from(inflow);
        Self {
            capacity,
            inflow,
            parts,
            max_debt: u64::try_from(repaid / u128::from(parts)).unwrap_or(u64::MAX),
        }
    }

    /// What an exact script has to know: the capacity, the inflow, the parts and the deepest debt.
    #[cfg(feature = "redis")]
    pub(super) fn numbers(&self) -> [u64; 4] {
        [self.capacity, self.inflow, self.parts, self.max_debt]
    }

    /// The parts between the deepest debt and a bucket that is full twice: the largest number that
    /// comes up.
    #[cfg(feature = "redis")]
    pub(super) fn span(&self) -> i128 {
        let units = self
            .capacity
            .saturating_mul(2)
            .saturating_add(self.max_debt);
        self.in_parts(units)
    }

    fn in_parts(&self, units: u64) -> i128 {
        i128::from(units) * i128::from(self.parts)
    }

    /// How long this many parts take to come, in whole microseconds.
    fn time_for(&self, parts: i128) -> Duration {
        let (micros, rest) = divide(parts.max(0), self.inflow);
        Duration::from_micros(micros.saturating_add(u64::from(rest)))
    }
}

/// A quotient of what is not negative, and whether there is a rest. What fits a register is
/// divided there, for the long way takes many times as long.
fn divide(dividend: i128, divisor: u64) -> (u64, bool) {
    if let Ok(dividend) = u64::try_from(dividend) {
        return (dividend / divisor, dividend % divisor > 0);
    }
    let divisor = i128::from(divisor);
    let quotient = u64::try_from(dividend / divisor).unwrap_or(u64::MAX);
    (quotient, dividend % divisor > 0)
}

/// An `i128` that takes no more room than its bytes: there may be a million of them, each in an
/// entry whose size would be rounded up to sixteen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Wide([u64; 2]);

impl From<i128> for Wide {
    fn from(number: i128) -> Self {
        Self([(number >> 64) as u64, number as u64])
    }
}

impl From<Wide> for i128 {
    fn from(Wide([high, low]): Wide) -> Self {
        Self::from(high as i64) << 64 | Self::from(low)
    }
}

impl Bucket {
    /// A key that has not been seen.
    pub(super) fn full(flow: &Flow, now: Timestamp) -> Self {
        Self {
            level: flow.in_parts(flow.capacity).into(),
            at: now,
            since: now,
        }
    }

    /// Lets in what has come since the last time. A clock that steps back brings nothing, and
    /// brings nothing twice.
    pub(super) fn advance(&mut self, flow: &Flow, now: Timestamp) {
        let mut level = self.level();
        if now > self.at {
            let elapsed = i128::from(now.as_micros() - self.at.as_micros());
            level = level.saturating_add(elapsed.saturating_mul(flow.inflow.into()));
            self.at = now;
        }
        let full = flow.in_parts(flow.capacity);
        if level >= full {
            level = full;
            self.since = self.at;
        }
        self.level = level.into();
    }

    /// The same level where the rate is another one from now on. Rounded down: a part of a unit
    /// that the change loses was nobody's.
    pub(super) fn change(&mut self, before: &Flow, flow: &Flow) {
        let (old, new) = (i128::from(before.parts), i128::from(flow.parts));
        let level = self.level();
        let part = level.rem_euclid(old) * new / old;
        self.level = (level.div_euclid(old) * new + part).into();
    }

    /// Whether so much can be taken, as of the last [`advance`](Self::advance).
    pub(super) fn fit(&self, flow: &Flow, now: Timestamp, amount: u64) -> Fit {
        let lacking = flow.in_parts(amount) - self.level();
        if amount > flow.capacity {
            Fit::Never
        } else if lacking > 0 {
            // A clock that stepped back must first come to where it was.
            Fit::Later(self.at.since(now).saturating_add(flow.time_for(lacking)))
        } else {
            Fit::Now
        }
    }

    /// Takes so much; answers when.
    pub(super) fn take(&mut self, flow: &Flow, amount: u64) -> Timestamp {
        self.level = (self.level() - flow.in_parts(amount)).into();
        self.at
    }

    /// Leaves so much at most.
    pub(super) fn lower(&mut self, flow: &Flow, most: u64) {
        self.level = self.level().min(flow.in_parts(most)).into();
    }

    /// Corrects what was taken at a time to what was used. Nothing is given back that has flowed
    /// back by itself, and no bucket is filled beyond its capacity; what was used beyond what was
    /// taken is a debt, down to the deepest.
    pub(super) fn settle(&mut self, flow: &Flow, at: Timestamp, taken: u64, used: u64) {
        let before = self.level();
        let taken = if at < self.since {
            taken.min(used)
        } else {
            taken
        };
        let level = before + flow.in_parts(taken) - flow.in_parts(used);
        let lowest = -flow.in_parts(flow.max_debt);
        let highest = flow.in_parts(flow.capacity);
        // A debt of before a change of the limit is not deepened, but neither is it forgiven.
        self.level = level.clamp(lowest.min(before), highest).into();
    }

    /// Whole units that are left.
    pub(super) fn remaining(&self, flow: &Flow) -> u64 {
        divide(self.level().max(0), flow.parts).0
    }

    /// How long until it is full, if nothing more is taken.
    pub(super) fn full_in(&self, flow: &Flow) -> Duration {
        flow.time_for(flow.in_parts(flow.capacity) - self.level())
    }

    fn level(&self) -> i128 {
        self.level.into()
    }
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a.max(1) } else { gcd(b, a % b) }
}
