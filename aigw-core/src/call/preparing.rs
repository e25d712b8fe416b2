use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http::{Request, Response, request::Parts};
use http_body::Body;
use pin_project::pin_project;
use tower_service::Service;

use super::{
    Call, CallBody, Carried, Record,
    budget::Hold,
    collect::Collect,
    peeking::{Peeked, Peeking, TwoModels},
};
use crate::{
    dialect::Target,
    reject::{self, Reason, Refusal, Refuser},
    rt::Timer,
};

/// A call until the inner service has it: its body is read, then the service is made ready.
#[pin_project]
pub(super) struct Preparing<S, B, T>
where
    B: Body,
    T: Timer,
{
    head: Option<Head>,
    inner: S,
    #[pin]
    sleep: Option<T::Sleep>,
    #[pin]
    state: State<B>,
}

/// What is known before the body.
pub(super) struct Head {
    pub(super) parts: Parts,
    pub(super) target: Target,
    pub(super) record: Arc<Record>,
    pub(super) refuser: Refuser,
}

/// How the body is to be read.
pub(super) enum Reading<B: Body> {
    Collecting(Collect<B>),
    Peeking(Peeking<B>),
    Unread(B),
    Empty,
    Refused(Refusal),
}

/// How it went.
pub(super) enum Prepared<F> {
    Called(F),
    Refused(Box<(Head, Refusal)>),
}

#[pin_project(project = StateProj)]
enum State<B: Body> {
    Collecting(#[pin] Collect<B>),
    Peeking(Peeking<B>),
    /// The call is known; the inner service is not ready yet.
    Known(Option<CallBody<B>>),
    Refused(Option<Refusal>),
}

impl<B: Body> Reading<B> {
    /// Whether anything has to be read at all.
    pub(super) fn waits(&self) -> bool {
        matches!(self, Self::Collecting(_) | Self::Peeking(_))
    }
}

impl<S, B, T> Preparing<S, B, T>
where
    S: Service<Request<CallBody<B>>>,
    B: Body,
    T: Timer,
{
    pub(super) fn new(head: Head, reading: Reading<B>, inner: S, sleep: Option<T::Sleep>) -> Self {
        let state = match reading {
            Reading::Collecting(collect) => State::Collecting(collect),
            Reading::Peeking(peeking) => State::Peeking(peeking),
            Reading::Unread(body) => State::Known(Some(CallBody::opaque(head.opaque(None), body))),
            Reading::Empty => match head.read(Bytes::new(), None) {
                Ok(call) => State::Known(Some(CallBody::buffered(call))),
                Err(refusal) => State::Refused(Some(refusal)),
            },
            Reading::Refused(refusal) => State::Refused(Some(refusal)),
        };
        Self {
            head: Some(head),
            inner,
            sleep,
            state,
        }
    }

    pub(super) fn poll(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Prepared<S::Future>, S::Error>> {
        let mut this = self.project();
        loop {
            let known = match this.state.as_mut().project() {
                StateProj::Collecting(mut collect) => match collect.as_mut().poll(cx) {
                    Poll::Ready(Ok((body, hold))) => match this.head.as_ref() {
                        Some(head) => head.read(body, hold).map(CallBody::buffered),
                        None => return Poll::Pending,
                    },
                    Poll::Ready(Err(refusal)) => Err(refusal),
                    Poll::Pending => {
                        let late = ready!(late(this.sleep.as_mut(), cx));
                        Err(collect.give_up().unwrap_or(late))
                    }
                },
                StateProj::Peeking(peeking) => match (peeking.poll(cx), this.head.as_ref()) {
                    (Poll::Ready(Ok(Peeked { model, body })), Some(head)) => {
                        Ok(CallBody::begun(head.opaque(model), body))
                    }
                    (Poll::Ready(Err(TwoModels)), _) => Err(two_models()),
                    _ => Err(ready!(late(this.sleep.as_mut(), cx))),
                },
                StateProj::Known(body) => {
                    ready!(this.inner.poll_ready(cx))?;
                    let Some((mut head, body)) = this.head.take().zip(body.take()) else {
                        return Poll::Pending;
                    };
                    head.parts.extensions.insert(Carried::from(&body));
                    let request = Request::from_parts(head.parts, body);
                    return Poll::Ready(Ok(Prepared::Called(this.inner.call(request))));
                }
                StateProj::Refused(refusal) => {
                    let Some((head, refusal)) = this.head.take().zip(refusal.take()) else {
                        return Poll::Pending;
                    };
                    return Poll::Ready(Ok(Prepared::Refused(Box::new((head, refusal)))));
                }
            };
            this.sleep.set(None);
            this.state.set(match known {
                Ok(body) => State::Known(Some(body)),
                Err(refusal) => State::Refused(Some(refusal)),
            });
        }
    }
}

impl Head {
    /// The call that a body of these bytes makes: the one that was read before, if it was of the
    /// same bytes.
    fn read(&self, body: Bytes, hold: Option<Hold>) -> Result<Arc<Call>, Refusal> {
        let known = Call::of(&self.parts.extensions).filter(|call| {
            let same = |known: &Bytes| known.as_ptr() == body.as_ptr() && known.len() == body.len();
            *call.target() == self.target && !body.is_empty() && call.body().is_some_and(same)
        });
        match known {
            Some(call) => Ok(Arc::clone(call)),
            None => {
                let (target, record) = (self.target.clone(), Arc::clone(&self.record));
                Call::parse_held(target, body, record, hold).map(Arc::new)
            }
        }
    }

    /// The answer to a call that goes no further.
    pub(super) fn refuse<B>(&self, refusal: Refusal) -> Response<reject::Body<B>> {
        let dialect = self.target.dialect();
        self.refuser.refuse(dialect, &self.record, refusal)
    }

    fn opaque(&self, model: Option<Box<str>>) -> Arc<Call> {
        Arc::new(Call::opaque(
            self.target.clone(),
            Arc::clone(&self.record),
            model,
        ))
    }
}

/// Completes when the body has taken too long.
fn late<F: Future<Output = ()>>(sleep: Pin<&mut Option<F>>, cx: &mut Context<'_>) -> Poll<Refusal> {
    match sleep.as_pin_mut() {
        Some(sleep) => sleep.poll(cx).map(|()| {
            Refusal::new(
                Reason::RequestTimeout,
                "the request body did not arrive in time",
            )
        }),
        None => Poll::Pending,
    }
}

fn two_models() -> Refusal {
    Refusal::new(
        Reason::InvalidRequest,
        "the form has the field `model` twice",
    )
    .param("model")
}
