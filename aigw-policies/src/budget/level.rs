use std::time::Duration;

use super::{Align, Limit, Timestamp, bucket::Bucket, rolling::Rolling, window::Window};

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
    from: Source,
}

#[cfg(feature = "redis")]
impl Taken {
    /// So much, taken from a level of such a limit at this time, or in the period or slot that
    /// begins then.
    pub(super) fn of(limit: &Limit, amount: u64, from: Timestamp) -> Self {
        let from = match limit {
            Limit::Rate(_) => Source::Bucket(from),
            Limit::Quota(quota) => match quota.align() {
                Align::Utc => Source::Window(from),
                Align::Rolling => Source::Rolling(from),
            },
        };
        Self { amount, from }
    }

    pub(super) fn from(&self) -> Timestamp {
        let (Source::Bucket(from) | Source::Window(from) | Source::Rolling(from)) = self.from;
        from
    }
}

/// Where something was taken from: a level that has become one of another kind since has nothing
/// of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Source {
    Bucket(Timestamp),
    Window(Timestamp),
    Rolling(Timestamp),
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
            Limit::Rate(rate) => State::Bucket(Bucket::full(rate.flow(), now)),
            Limit::Quota(quota) => match quota.align() {
                Align::Utc => State::Window(Window::new(quota, now)),
                Align::Rolling => State::Rolling(Box::new(Rolling::new(quota, now))),
            },
        })
    }

    /// The same level where the limit is another one from now on. One of another kind begins anew.
    pub(super) fn change(&mut self, before: &Limit, limit: &Limit, now: Timestamp) {
        self.advance(before, now);
        match (&mut self.0, before, limit) {
            (State::Bucket(bucket), Limit::Rate(before), Limit::Rate(rate)) => {
                bucket.change(before.flow(), rate.flow());
            }
            (State::Window(window), _, Limit::Quota(quota)) if quota.align() == Align::Utc => {
                window.change(quota, now);
            }
            (State::Rolling(rolling), _, Limit::Quota(quota))
                if quota.align() == Align::Rolling =>
            {
                rolling.change(quota, now);
            }
            _ => *self = Self::untouched(limit, now),
        }
    }

    /// Whether `amount` can be taken now. Takes nothing.
    pub(super) fn fit(&mut self, limit: &Limit, now: Timestamp, amount: u64) -> Fit {
        self.advance(limit, now);
        match (&self.0, limit) {
            (State::Bucket(bucket), Limit::Rate(rate)) => bucket.fit(rate.flow(), now, amount),
            (State::Window(window), Limit::Quota(quota)) => window.fit(quota, now, amount),
            (State::Rolling(rolling), Limit::Quota(quota)) => rolling.fit(quota, now, amount),
            // Whoever changes the limit changes the level.
            _ => Fit::Never,
        }
    }

    /// Takes `amount`, whether it [fits](Self::fit) or not.
    pub(super) fn take(&mut self, limit: &Limit, now: Timestamp, amount: u64) -> Taken {
        self.advance(limit, now);
        let from = match (&mut self.0, limit) {
            (State::Window(window), _) => Source::Window(window.take(amount)),
            (State::Rolling(rolling), _) => Source::Rolling(rolling.take(amount)),
            (State::Bucket(bucket), Limit::Rate(rate)) => {
                Source::Bucket(bucket.take(rate.flow(), amount))
            }
            // Whoever changes the limit changes the level.
            (State::Bucket(_), Limit::Quota(_)) => Source::Bucket(now),
        };
        Taken { amount, from }
    }

    /// Takes more to what was taken.
    pub(super) fn extend(&mut self, limit: &Limit, now: Timestamp, taken: &mut Taken, more: u64) {
        let amount = taken.amount.saturating_add(more);
        if let (State::Bucket(bucket), Limit::Rate(rate), Source::Bucket(_)) =
            (&mut self.0, limit, taken.from)
        {
            // The deepest debt is a matter of what was used in the end.
            bucket.advance(rate.flow(), now);
            bucket.take(rate.flow(), amount - taken.amount);
        } else {
            self.settle(limit, now, *taken, amount);
        }
        taken.amount = amount;
    }

    /// Corrects what was taken to what was `used`.
    pub(super) fn settle(&mut self, limit: &Limit, now: Timestamp, taken: Taken, used: u64) {
        self.advance(limit, now);
        match (&mut self.0, limit, taken.from) {
            (State::Bucket(bucket), Limit::Rate(rate), Source::Bucket(at)) => {
                bucket.settle(rate.flow(), at, taken.amount, used);
            }
            (State::Window(window), _, Source::Window(begin)) => {
                window.settle(begin, taken.amount, used);
            }
            (State::Rolling(rolling), _, Source::Rolling(begin)) => {
                rolling.settle(begin, taken.amount, used);
            }
            _ => {}
        }
    }

    /// Leaves so much of a rate at most.
    pub(super) fn lower(&mut self, limit: &Limit, now: Timestamp, most: u64) {
        self.advance(limit, now);
        if let (State::Bucket(bucket), Limit::Rate(rate)) = (&mut self.0, limit) {
            bucket.lower(rate.flow(), most);
        }
    }

    pub(super) fn left(&mut self, limit: &Limit, now: Timestamp) -> Left {
        self.advance(limit, now);
        let (remaining, reset) = match (&self.0, limit) {
            (State::Bucket(bucket), Limit::Rate(rate)) => {
                (bucket.remaining(rate.flow()), bucket.full_in(rate.flow()))
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
    pub(super) fn is_untouched(&mut self, limit: &Limit, now: Timestamp) -> bool {
        let left = self.left(limit, now);
        match &self.0 {
            State::Bucket(_) => left.reset.is_zero(),
            _ => left.remaining == limit.amount(),
        }
    }

    /// Lets time pass.
    fn advance(&mut self, limit: &Limit, now: Timestamp) {
        match (&mut self.0, limit) {
            (State::Bucket(bucket), Limit::Rate(rate)) => bucket.advance(rate.flow(), now),
            (State::Window(window), Limit::Quota(quota)) => window.advance(quota, now),
            (State::Rolling(rolling), Limit::Quota(_)) => rolling.advance(now),
            _ => {}
        }
    }
}
