//! What is used of a quota whose periods follow the calendar.

use std::time::Duration;

use super::{Fit, Timestamp, calendar, limit::Quota};

/// The use of one key in one period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Window {
    begin: Timestamp,
    end: Timestamp,
    /// What was taken from then on is part of what is used here: earlier than the beginning where
    /// the period was made of a longer one.
    since: Timestamp,
    used: u64,
}

impl Window {
    pub(super) fn new(quota: &Quota, now: Timestamp) -> Self {
        let (begin, end) = calendar::bounds(quota.period(), now);
        Self {
            begin,
            end,
            since: begin,
            used: 0,
        }
    }

    /// Begins the next period when this one is over. A clock that steps back begins none again.
    pub(super) fn advance(&mut self, quota: &Quota, now: Timestamp) {
        if now >= self.end {
            *self = Self::new(quota, now);
        }
    }

    /// The same use in a period of another length, in which it was as well.
    pub(super) fn change(&mut self, quota: &Quota, now: Timestamp) {
        let new = Self::new(quota, now);
        *self = Self {
            since: self.since.min(new.begin),
            used: self.used,
            ..new
        };
    }

    pub(super) fn fit(&self, quota: &Quota, now: Timestamp, amount: u64) -> Fit {
        if amount > quota.amount() {
            Fit::Never
        } else if self.used.saturating_add(amount) > quota.amount() {
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
        if begin >= self.since {
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
