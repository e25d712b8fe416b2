use std::{
    fmt,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use aigw_core::{
    call::{Call, HasCall, Record},
    dialect::Dialect,
    meter::Metered,
    reject::{self, Refusal},
};
use http::{Request, Response};
use pin_project::pin_project;
use tower_service::Service;

use super::{ResponseBody, asking::Asking, elsewhere::Counting, guard::Guard, limiter::Limiter};
use crate::{
    budget::{Store, Verdict, told},
    tokens::{self, Count},
};

/// The answer of a [`TokenLimit`](super::TokenLimit).
///
/// # Cancel safety
///
/// Dropped while the store decides or the prompt is counted, nothing is held, though a count that
/// runs elsewhere runs to its end. Dropped afterwards, the call is settled with
/// what its prompt was expected to use: the provider may have read it.
#[pin_project]
#[must_use = "futures do nothing unless polled"]
pub struct ResponseFuture<S, ReqBody, St>
where
    S: Service<Request<ReqBody>>,
    St: Store,
{
    #[pin]
    state: State<S, ReqBody, St>,
}

#[pin_project(project = StateProj)]
enum State<S, ReqBody, St>
where
    S: Service<Request<ReqBody>>,
    St: Store,
{
    Asking {
        #[pin]
        reserving: St::Reserving,
        asked: Option<Asked<S, ReqBody, St>>,
    },
    /// The verdict is to be found again, with the prompt counted. Nothing is held meanwhile.
    Counting {
        #[pin]
        counting: Counting,
        asked: Option<Asked<S, ReqBody, St>>,
    },
    Calling {
        #[pin]
        future: S::Future,
        /// `None` where no budget holds for the call.
        guard: Option<Guard<St>>,
    },
    /// `None` once it has been told.
    Refused(Option<Box<Refused<St>>>),
}

/// A refusal, and to whom it is told.
struct Refused<St> {
    limiter: Arc<Limiter<St>>,
    dialect: Dialect,
    record: Arc<Record>,
    refusal: Refusal,
}

impl<St: Store> Refused<St> {
    fn boxed(limiter: Arc<Limiter<St>>, call: &Call, refusal: Refusal) -> Box<Self> {
        Box::new(Self {
            limiter,
            dialect: call.dialect(),
            record: Arc::clone(call.record()),
            refusal,
        })
    }

    fn answer<B: Metered>(self) -> Response<ResponseBody<B, St>> {
        let Limiter {
            refuser, headers, ..
        } = &*self.limiter;
        let mut answer = refuser.refuse(self.dialect, &self.record, self.refusal);
        told::refused(headers, answer.extensions_mut());
        answer.map(|body| ResponseBody::new(body, None, None))
    }
}

struct Asked<S, ReqBody, St> {
    limiter: Arc<Limiter<St>>,
    asking: Box<Asking>,
    inner: S,
    request: Request<ReqBody>,
}

impl<S, ReqBody, St> ResponseFuture<S, ReqBody, St>
where
    S: Service<Request<ReqBody>>,
    St: Store,
{
    pub(super) fn passing(future: S::Future) -> Self {
        let guard = None;
        let state = State::Calling { future, guard };
        Self { state }
    }

    pub(super) fn asking(
        limiter: Arc<Limiter<St>>,
        reserving: St::Reserving,
        asking: Box<Asking>,
        inner: S,
        request: Request<ReqBody>,
    ) -> Self {
        let asked = Some(Asked {
            limiter,
            asking,
            inner,
            request,
        });
        let state = State::Asking { reserving, asked };
        Self { state }
    }

    pub(super) fn refused(limiter: Arc<Limiter<St>>, call: &Call, refusal: Refusal) -> Self {
        let refused = Refused::boxed(limiter, call, refusal);
        let state = State::Refused(Some(refused));
        Self { state }
    }
}

impl<S, ReqBody, St, ResBody> Future for ResponseFuture<S, ReqBody, St>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
    St: Store,
    ReqBody: HasCall,
    ResBody: Metered,
{
    type Output = Result<Response<ResponseBody<ResBody, St>>, S::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        loop {
            let next = match this.state.as_mut().project() {
                StateProj::Asking { reserving, asked } => {
                    let verdict = ready!(reserving.poll(cx));
                    let Some(asked) = asked.take() else {
                        return Poll::Pending;
                    };
                    asked.conclude(verdict)
                }
                StateProj::Counting { counting, asked } => {
                    let count = ready!(counting.poll(cx));
                    let Some(asked) = asked.take() else {
                        return Poll::Pending;
                    };
                    asked.counted(count)
                }
                StateProj::Calling { future, guard } => {
                    let (mut head, body) = ready!(future.poll(cx))?.into_parts();
                    let mut guard = guard.take();
                    let stopper = guard.as_mut().and_then(|guard| {
                        guard.answered(&mut head);
                        guard.stopper(&mut head, body.meter())
                    });
                    let body = ResponseBody::new(reject::Body::passed(body), guard, stopper);
                    return Poll::Ready(Ok(Response::from_parts(head, body)));
                }
                StateProj::Refused(refused) => {
                    let Some(refused) = refused.take() else {
                        return Poll::Pending;
                    };
                    return Poll::Ready(Ok(refused.answer()));
                }
            };
            this.state.set(next);
        }
    }
}

impl<S, ReqBody, St> Asked<S, ReqBody, St>
where
    S: Service<Request<ReqBody>>,
    ReqBody: HasCall,
    St: Store,
{
    fn conclude(mut self, verdict: Verdict) -> State<S, ReqBody, St> {
        if self.asking.is_uncertain(&verdict) {
            self.count(verdict)
        } else if self.asking.yields(&verdict) {
            self.ask_again()
        } else {
            self.settle_on(verdict)
        }
    }

    /// Counts the prompt, if it can be, and asks again.
    fn count(mut self, verdict: Verdict) -> State<S, ReqBody, St> {
        let limiter = &self.limiter;
        let counting = match limiter.estimator.count(self.request.body().call()) {
            tokens::Counting::Long(work) => limiter.elsewhere.as_ref().map(|it| Err(it.run(work))),
            tokens::Counting::Counted(count) => Some(Ok(count)),
            tokens::Counting::Unknown => None,
        };
        let Some(counting) = counting else {
            self.asking.counted(None);
            return self.conclude(verdict);
        };
        if let Verdict::Admitted(holds) = verdict {
            let nothing = vec![0; holds.len()];
            limiter.store.settle(holds, &nothing);
        }
        match counting {
            Ok(count) => self.counted(Some(count)),
            Err(counting) => State::Counting {
                counting,
                asked: Some(self),
            },
        }
    }

    fn counted(mut self, count: Option<Count>) -> State<S, ReqBody, St> {
        self.asking.counted(count);
        self.ask_again()
    }

    fn ask_again(mut self) -> State<S, ReqBody, St> {
        let (call, headers) = (self.request.body().call(), self.request.headers());
        let claims = self.limiter.ask_again(&mut self.asking, call, headers);
        State::Asking {
            reserving: self.limiter.store.reserve(claims),
            asked: Some(self),
        }
    }

    fn settle_on(self, verdict: Verdict) -> State<S, ReqBody, St> {
        let Self {
            limiter,
            asking,
            mut inner,
            request,
        } = self;
        match limiter.conclude(&asking, verdict) {
            Ok(holds) => State::Calling {
                guard: Some(Guard::new(limiter, asking, holds)),
                future: inner.call(request),
            },
            Err(refusal) => {
                let refused = Refused::boxed(limiter, &asking.call, refusal);
                State::Refused(Some(refused))
            }
        }
    }
}

impl<S, ReqBody, St> fmt::Debug for ResponseFuture<S, ReqBody, St>
where
    S: Service<Request<ReqBody>>,
    St: Store,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}
