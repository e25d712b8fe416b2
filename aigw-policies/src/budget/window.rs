//! What is used of a quota whose periods follow the calendar.

use std::time::Duration;

use super::{Fit, Period, Timestamp, calendar, limit::Quota};

/// The use of one key in one period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Window {
    /// Its name: when it began.
    begin: Timestamp,
    end: Timestamp,
    /// Of which calendar it is a period, for the limit may be changed while this lives.
    period: Period,
    used: u64,
}

impl Window {
    pub(super) fn new(quota: &Quota, now: Timestamp) -> Self {
        let period = quota.period();
        let (begin, end) = calendar::bounds(period, now);
        Self {
            begin,
            end,
            period,
            used: 0,
        }
    }

    /// Begins the next period when this one is over. A clock that steps back begins none again.
    pub(super) fn advance(&mut self, quota: &Quota, now: Timestamp) {
        if now >= self.end {
            *self = Self::new(quota, now);
        } else if self.period != quota.period() {
            // What was used in a period of another length was used in this one, too.
            let used = self.used;
            *self = Self {
                used,
                ..Self::new(quota, now)
            };
        }
    }

    pub(super) fn fit(&self, quota: &Quota, now: Timestamp, amount: u64) -> Fit {
        if amount > quota.amount() {
            Fit::Never
        } else if amount > self.remaining(quota) || self.used > quota.amount() {
            Fit::Later(self.over_in(now))
        } else {
            Fit::Now
        }
    }

    /// Takes so much; answers from which period.
    pub(super) fn take(&mut self, amount: u64) -> Timestamp {
        self.used = self.used.saturating_add(amount);
        self.begin
    }

    /// Corrects what was taken from a period to what was used. Nothing touches another period than
    /// the one it was taken from.
    pub(super) fn settle(&mut self, begin: Timestamp, taken: u64, used: u64) {
        if begin == self.begin {
            self.used = self.used.saturating_sub(taken).saturating_add(used);
        }
    }

    pub(super) fn remaining(&self, quota: &Quota) -> u64 {
        quota.amount().saturating_sub(self.used)
    }

    /// How long until the next period begins.
    pub(super) fn over_in(&self, now: Timestamp) -> Duration {
        self.end.since(now)
    }
}
