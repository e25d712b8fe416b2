use std::time::Duration;

use super::{
    Align, Limit, Timestamp,
    bucket::{Bucket, Flow},
    rolling::Rolling,
    window::Window,
};

/// Whether an amount can be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fit {
    Now,
    /// After this long, if nobody else takes anything: not a microsecond earlier.
    Later(Duration),
    /// It is more than the limit admits at once.
    Never,
}

/// What one key has left of one limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Level(State);

#[derive(Clone, Debug, PartialEq, Eq)]
enum State {
    Bucket(Bucket),
    Window(Window),
    // Boxed, for it is many times the size of the others.
    Rolling(Box<Rolling>),
}

/// What was taken from a level, until it is settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Taken {
    pub(crate) amount: u64,
    /// The period of a quota that it was taken from.
    from: Timestamp,
}

/// How much is left, as headers and handles tell it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Left {
    /// Whole units.
    pub(crate) remaining: u64,
    /// How long until the limit is whole again, if nothing more is taken.
    pub(crate) reset: Duration,
}

impl Level {
    /// The level of a key that has not been seen.
    pub(crate) fn untouched(limit: &Limit, now: Timestamp) -> Self {
        Self(match limit {
            Limit::Rate(rate) => State::Bucket(Bucket::full(&Flow::of(rate), now)),
            Limit::Quota(quota) => match quota.align() {
                Align::Utc => State::Window(Window::new(quota, now)),
                Align::Rolling => State::Rolling(Box::new(Rolling::new(quota, now))),
            },
        })
    }

    /// Whether `amount` can be taken now. Takes nothing.
    pub(crate) fn fit(&mut self, limit: &Limit, now: Timestamp, amount: u64) -> Fit {
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
    pub(crate) fn take(&mut self, limit: &Limit, now: Timestamp, amount: u64) -> Taken {
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
    pub(crate) fn settle(&mut self, limit: &Limit, now: Timestamp, taken: Taken, used: u64) {
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

    pub(crate) fn left(&mut self, limit: &Limit, now: Timestamp) -> Left {
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

    /// Whether this is what a key that has not been seen would have: nothing is lost with it.
    pub(crate) fn is_untouched(&mut self, limit: &Limit, now: Timestamp) -> bool {
        self.advance(limit, now);
        match &self.0 {
            State::Bucket(_) => self.left(limit, now).reset.is_zero(),
            State::Window(window) => window.is_unused(),
            State::Rolling(rolling) => rolling.is_unused(),
        }
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
