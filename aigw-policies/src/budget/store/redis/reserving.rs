use std::{
    fmt, mem,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use aigw_core::rt::Timer;

use super::{
    asked::{self, Asked},
    outage,
    shared::Handle,
    wire::Decided,
};
use crate::budget::{Claim, Hold, Verdict, store::Kept};

/// The verdict of a [`RedisStore`](super::RedisStore).
///
/// # Cancel safety
///
/// Dropped before it is polled, nothing is asked. Dropped before Redis has answered, the
/// [`Driver`](super::Driver) gives back what is taken.
#[must_use = "futures do nothing unless polled"]
pub struct Reserving<T: Timer> {
    handle: Arc<Handle<T>>,
    state: State<T>,
}

enum State<T: Timer> {
    New(Vec<Claim>),
    Asking(Arc<Asked>, Pin<Box<T::Sleep>>),
    Over,
}

impl<T: Timer> Reserving<T> {
    pub(super) fn new(handle: Arc<Handle<T>>, claims: Vec<Claim>) -> Self {
        let state = State::New(claims);
        Self { handle, state }
    }

    fn conclude(&self, claims: Vec<Claim>, decided: Option<Decided>) -> Verdict {
        let shared = &self.handle.0;
        match decided {
            Some(decided) => {
                shared.decided.count();
                verdict(claims, decided)
            }
            None => outage::verdict(shared, claims),
        }
    }

    /// Nobody waits for it any more. Answers what was decided meanwhile, or else what `left` makes of
    /// its claims.
    fn leave<R>(
        &self,
        asked: &Asked,
        left: impl FnOnce(&[Claim]) -> R,
    ) -> Result<(Vec<Claim>, Option<Decided>), R> {
        let shared = &self.handle.0;
        let answered = asked.leave(|claims| {
            shared.inbox().left += 1;
            left(claims)
        });
        // Behind the lock, for an executor may run the driver at once.
        shared.leave(|_| ());
        answered
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
        let shared = &this.handle.0;
        if let State::New(claims) = &mut this.state {
            let claims = mem::take(claims);
            if shared.is_lost() {
                this.state = State::Over;
                return Poll::Ready(outage::verdict(shared, claims));
            }
            let sleep = Box::pin(shared.timer.sleep_for(shared.config.deadline));
            let asked = Arc::new(Asked::new(claims, cx.waker().clone()));
            shared.leave(|inbox| inbox.asked.push(Arc::clone(&asked)));
            this.state = State::Asking(asked, sleep);
        }
        let State::Asking(asked, sleep) = &mut this.state else {
            return Poll::Pending;
        };
        let answered = match asked.poll(cx) {
            Poll::Ready(answered) => answered,
            Poll::Pending if sleep.as_mut().poll(cx).is_pending() => return Poll::Pending,
            Poll::Pending => {
                let asked = Arc::clone(asked);
                this.leave(&asked, <[_]>::to_vec).unwrap_or_else(|claims| {
                    this.handle.0.lose();
                    (claims, None)
                })
            }
        };
        this.state = State::Over;
        let (claims, decided) = answered;
        Poll::Ready(this.conclude(claims, decided))
    }
}

impl<T: Timer> Drop for Reserving<T> {
    fn drop(&mut self) {
        if let State::Asking(asked, _) = mem::replace(&mut self.state, State::Over)
            && let Ok((claims, decided)) = self.leave(&asked, |_| ())
        {
            let corrections = asked::give_back(claims, decided);
            self.handle
                .0
                .leave(|inbox| inbox.outbox.push_all(corrections));
        }
    }
}

impl<T: Timer> fmt::Debug for Reserving<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reserving").finish_non_exhaustive()
    }
}
