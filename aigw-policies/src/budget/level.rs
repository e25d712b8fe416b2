use std::time::Duration;

use super::{
    Align, Limit, Timestamp,
    bucket::{Bucket, Flow},
    rolling::Rolling,
    window::Window,
};

/// Whether an amount can be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fit {
    Now,
    /// After this long, if nobody else takes anything: not a microsecond earlier.
    Later(Duration),
    /// It is more than the limit admits at once.
    Never,
}

/// What one key has left of one limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Level(State);

#[derive(Clone, Debug, PartialEq, Eq)]
enum State {
    Bucket(Bucket),
    Window(Window),
    // Boxed, for it is many times the size of the others.
    Rolling(Box<Rolling>),
}

/// What was taken from a level, until it is settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Taken {
    pub(super) amount: u64,
    /// The period of a quota that it was taken from.
    from: Timestamp,
}

/// What is left of a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Left {
    /// Whole units. Never more than there are, for what is held and not settled counts as used.
    pub remaining: u64,
    /// How long until the whole limit is there again, if nothing more is taken.
    pub reset: Duration,
}

impl Level {
    /// The level of a key that has not been seen.
    pub(super) fn untouched(limit: &Limit, now: Timestamp) -> Self {
        Self(match limit {
            Limit::Rate(rate) => State::Bucket(Bucket::full(&Flow::of(rate), now)),
            Limit::Quota(quota) => match quota.align() {
                Align::Utc => State::Window(Window::new(quota, now)),
                Align::Rolling => State::Rolling(Box::new(Rolling::new(quota, now))),
            },
        })
    }

    /// Whether `amount` can be taken now. Takes nothing.
    pub(super) fn fit(&mut self, limit: &Limit, now: Timestamp, amount: u64) -> Fit {
        self.advance(limit, now);
        match (&self.0, limit) {
            (State::Bucket(bucket), Limit::Rate(rate)) => bucket.fit(&Flow::of(rate), now, amount),
            (State::Window(window), Limit::Quota(quota)) => window.fit(quota, now, amount),
            (State::Rolling(rolling), Limit::Quota(quota)) => rolling.fit(quota, now, amount),
            // `advance` has made the state that of the limit.
            _ => Fit::Never,
        }
    }

    /// Takes `amount`, whether it [fits](Self::fit) or not.
    pub(super) fn take(&mut self, limit: &Limit, now: Timestamp, amount: u64) -> Taken {
        self.advance(limit, now);
        let from = match (&mut self.0, limit) {
            (State::Bucket(bucket), Limit::Rate(rate)) => {
                bucket.take(&Flow::of(rate), amount);
                Timestamp::default()
            }
            (State::Window(window), _) => window.take(amount),
            (State::Rolling(rolling), _) => rolling.take(amount),
            _ => Timestamp::default(),
        };
        Taken { amount, from }
    }

    /// Corrects what was taken to what was `used`.
    pub(super) fn settle(&mut self, limit: &Limit, now: Timestamp, taken: Taken, used: u64) {
        self.advance(limit, now);
        match (&mut self.0, limit) {
            (State::Bucket(bucket), Limit::Rate(rate)) => {
                bucket.settle(&Flow::of(rate), taken.amount, used);
            }
            (State::Window(window), _) => window.settle(taken.from, taken.amount, used),
            (State::Rolling(rolling), _) => rolling.settle(taken.from, taken.amount, used),
            _ => {}
        }
    }

    pub(super) fn left(&mut self, limit: &Limit, now: Timestamp) -> Left {
        self.advance(limit, now);
        let (remaining, reset) = match (&self.0, limit) {
            (State::Bucket(bucket), Limit::Rate(rate)) => {
                let flow = Flow::of(rate);
                (bucket.remaining(&flow), bucket.full_in(&flow))
            }
            (State::Window(window), Limit::Quota(quota)) => {
                (window.remaining(quota), window.over_in(now))
            }
            (State::Rolling(rolling), Limit::Quota(quota)) => {
                (rolling.remaining(quota), rolling.over_in(now))
            }
            _ => (0, Duration::ZERO),
        };
        Left { remaining, reset }
    }

    /// Lets time pass. A limit that has become one of another kind begins anew.
    fn advance(&mut self, limit: &Limit, now: Timestamp) {
        match (&mut self.0, limit) {
            (State::Bucket(bucket), Limit::Rate(rate)) => bucket.advance(&Flow::of(rate), now),
            (State::Window(window), Limit::Quota(quota)) if quota.align() == Align::Utc => {
                window.advance(quota, now);
            }
            (State::Rolling(rolling), Limit::Quota(quota)) if quota.align() == Align::Rolling => {
                rolling.advance(quota, now);
            }
            _ => *self = Self::untouched(limit, now),
        }
    }
}
