//! A decision that is asked for, between whoever waits for it and the driver that asks.

use std::{
    mem,
    sync::{Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};

use super::{
    outbox::{Correction, What},
    wire::Decided,
};
use crate::budget::Claim;

/// One decision. Its lock may be held while the inbox is locked, and not the other way round.
pub(super) struct Asked(Mutex<State>);

struct State {
    claims: Vec<Claim>,
    phase: Phase,
}

enum Phase {
    Waiting(Waker),
    /// `None` where Redis has not answered.
    Answered(Option<Decided>),
    /// Nobody waits for it any more, or it has been given to who did.
    Left,
}

impl Asked {
    pub(super) fn new(claims: Vec<Claim>, waker: Waker) -> Self {
        let phase = Phase::Waiting(waker);
        Self(Mutex::new(State { claims, phase }))
    }

    pub(super) fn poll(&self, cx: &Context<'_>) -> Poll<(Vec<Claim>, Option<Decided>)> {
        let mut state = self.state();
        if let Some(answered) = state.take() {
            return Poll::Ready(answered);
        }
        if let Phase::Waiting(waker) = &mut state.phase {
            waker.clone_from(cx.waker());
        }
        Poll::Pending
    }

    /// Nobody waits for it any more. Answers what was decided, or else what `left` makes of its claims
    /// while it is locked: from then on they are the driver's.
    pub(super) fn leave<R>(
        &self,
        left: impl FnOnce(&[Claim]) -> R,
    ) -> Result<(Vec<Claim>, Option<Decided>), R> {
        let mut state = self.state();
        state.take().ok_or_else(|| {
            state.phase = Phase::Left;
            left(&state.claims)
        })
    }

    pub(super) fn is_left(&self) -> bool {
        matches!(self.state().phase, Phase::Left)
    }

    /// What it claims.
    pub(super) fn claims<R>(&self, read: impl FnOnce(&[Claim]) -> R) -> R {
        read(&self.state().claims)
    }

    /// Tells whoever waits. Where nobody does, answers what it has claimed.
    pub(super) fn answer(
        &self,
        decided: Option<Decided>,
    ) -> Result<(), (Vec<Claim>, Option<Decided>)> {
        let mut state = self.state();
        match mem::replace(&mut state.phase, Phase::Left) {
            Phase::Left => Err((mem::take(&mut state.claims), decided)),
            Phase::Waiting(waker) => {
                state.phase = Phase::Answered(decided);
                drop(state);
                waker.wake();
                Ok(())
            }
            answered @ Phase::Answered(_) => {
                state.phase = answered;
                Ok(())
            }
        }
    }

    /// No code behind the lock panics.
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// What was decided, once.
    fn take(&mut self) -> Option<(Vec<Claim>, Option<Decided>)> {
        match mem::replace(&mut self.phase, Phase::Left) {
            Phase::Answered(answer) => Some((mem::take(&mut self.claims), answer)),
            phase => {
                self.phase = phase;
                None
            }
        }
    }
}

/// What a decision has taken is given back, for nobody waits for it.
pub(super) fn give_back(
    claims: Vec<Claim>,
    decided: Option<Decided>,
) -> impl Iterator<Item = Correction> {
    let taken = match decided {
        Some(Decided::Admitted(taken)) => taken,
        Some(Decided::Refused(_)) | None => Vec::new(),
    };
    let claims = claims.into_iter().zip(taken);
    claims.map(|(claim, (taken, _))| Correction {
        from: taken.from().as_micros(),
        taken: taken.amount,
        used: 0,
        key: claim.key.into(),
        limit: claim.limit,
        what: What::Settle,
    })
}
