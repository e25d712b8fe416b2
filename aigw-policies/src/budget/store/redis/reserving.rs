use std::{
    fmt, mem,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use aigw_core::rt::Timer;
use redis::RedisResult;

use super::{
    orphan::{Answer, Orphan},
    outage,
    shared::Handle,
    wire::{self, Decided},
};
use crate::budget::{Claim, Hold, Verdict, store::Kept};

/// The verdict of a [`RedisStore`](super::RedisStore).
///
/// # Cancel safety
///
/// Dropped before it is polled, nothing is asked. Dropped before Redis has answered, the answer is
/// left to the [`Driver`](super::Driver), which gives back what was taken.
#[must_use = "futures do nothing unless polled"]
pub struct Reserving<T: Timer> {
    handle: Arc<Handle<T>>,
    claims: Vec<Claim>,
    state: State<T>,
}

enum State<T: Timer> {
    /// `None` where Redis is lost, and not asked.
    New(Option<Answer>),
    Asking(Answer, Pin<Box<T::Sleep>>),
    Over,
}

impl<T: Timer> Reserving<T> {
    pub(super) fn new(handle: Arc<Handle<T>>, claims: Vec<Claim>, answer: Option<Answer>) -> Self {
        Self {
            handle,
            claims,
            state: State::New(answer),
        }
    }

    fn conclude(&mut self, answer: RedisResult<redis::Value>) -> Verdict {
        let shared = &self.handle.0;
        let claims = mem::take(&mut self.claims);
        match answer.and_then(|answer| wire::decided(&claims, answer)) {
            Ok(decided) => {
                shared.decided.count();
                verdict(claims, decided)
            }
            Err(error) => {
                // What was sent may have been done.
                if error.is_unrecoverable_error() || error.is_io_error() {
                    shared.in_doubt.count();
                }
                shared.lose();
                outage::verdict(shared, claims)
            }
        }
    }
}

fn verdict(claims: Vec<Claim>, decided: Decided) -> Verdict {
    match decided {
        Decided::Refused(refused) => Verdict::Refused(refused),
        Decided::Admitted(taken) => {
            let holds = claims
                .into_iter()
                .zip(taken)
                .map(|(claim, (taken, left))| Hold {
                    claim,
                    taken,
                    kept: Kept::Redis,
                    left: Some(left),
                });
            Verdict::Admitted(holds.collect())
        }
    }
}

impl<T: Timer> Future for Reserving<T> {
    type Output = Verdict;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Verdict> {
        let this = self.get_mut();
        let shared = Arc::clone(&this.handle.0);
        loop {
            match mem::replace(&mut this.state, State::Over) {
                State::New(None) => {
                    return Poll::Ready(outage::verdict(&shared, mem::take(&mut this.claims)));
                }
                State::New(Some(answer)) => {
                    let sleep = shared.timer.sleep_for(shared.config.deadline);
                    this.state = State::Asking(answer, Box::pin(sleep));
                }
                State::Asking(mut answer, mut sleep) => {
                    if let Poll::Ready(answer) = Pin::new(&mut answer).poll(cx) {
                        return Poll::Ready(this.conclude(answer));
                    }
                    if sleep.as_mut().poll(cx).is_pending() {
                        this.state = State::Asking(answer, sleep);
                        return Poll::Pending;
                    }
                    let orphan = Orphan::new(answer, this.claims.clone());
                    shared.leave(|inbox| inbox.orphans.push(orphan));
                    shared.lose();
                    return Poll::Ready(outage::verdict(&shared, mem::take(&mut this.claims)));
                }
                State::Over => return Poll::Pending,
            }
        }
    }
}

impl<T: Timer> Drop for Reserving<T> {
    fn drop(&mut self) {
        if let State::Asking(answer, _) = mem::replace(&mut self.state, State::Over) {
            let orphan = Orphan::new(answer, mem::take(&mut self.claims));
            self.handle.0.leave(|inbox| inbox.orphans.push(orphan));
        }
    }
}

impl<T: Timer> fmt::Debug for Reserving<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reserving").finish_non_exhaustive()
    }
}
