use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use redis::{RedisResult, Value};

use super::{
    outbox::{Correction, What},
    wire::{self, Decided},
};
use crate::{
    boxed::Boxed,
    budget::{Claim, level::Taken},
};

/// The answer of Redis that somebody waits for.
pub(super) type Answer = Boxed<RedisResult<Value>>;

/// A decision that nobody waits for any more. What it takes is given back as soon as it is known.
pub(super) struct Orphan {
    answer: Answer,
    claims: Vec<Claim>,
}

/// What became of a decision that nobody waited for.
pub(super) enum Found {
    /// It took so much, or nothing.
    Taken(Vec<Correction>),
    /// Nobody knows.
    InDoubt,
}

impl Orphan {
    pub(super) fn new(answer: Answer, claims: Vec<Claim>) -> Self {
        Self { answer, claims }
    }

    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Found> {
        let answer = ready!(Pin::new(&mut self.answer).poll(cx));
        let decided = answer.and_then(|answer| wire::decided(&self.claims, answer));
        Poll::Ready(match decided {
            Ok(Decided::Admitted(taken)) => {
                let claims = self.claims.drain(..).zip(taken);
                Found::Taken(
                    claims
                        .map(|(claim, (taken, _))| give_back(claim, taken))
                        .collect(),
                )
            }
            Ok(Decided::Refused(_)) => Found::Taken(Vec::new()),
            Err(_) => Found::InDoubt,
        })
    }
}

fn give_back(claim: Claim, taken: Taken) -> Correction {
    Correction {
        from: taken.from().as_micros(),
        taken: taken.amount,
        used: 0,
        key: claim.key.into(),
        limit: claim.limit,
        what: What::Settle,
    }
}
