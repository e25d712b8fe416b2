use std::{
    fmt,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use aigw_core::{
    call::{Call, HasCall},
    reject::{self, Refusal},
    rt::Timer,
};
use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use pin_project::pin_project;
use tower_service::Service;

use super::{
    ResponseBody,
    gate::Class,
    lease::Leasing,
    limit::{Admission, Limit},
    places::Place,
    wait::Wait,
};

/// The answer to a call that has a place, waits for one or is refused.
///
/// # Cancel safety
///
/// Dropping it leaves the queue, or drops the inner call and gives its place back. A place that was
/// given to it and that it did not notice goes to the next in the queue; a lease that was asked for
/// is given back.
#[pin_project]
#[must_use = "futures do nothing unless polled"]
pub struct ResponseFuture<S, B, T>
where
    S: Service<Request<B>>,
    T: Timer,
{
    #[pin]
    state: State<S, B, T>,
    /// Below the state, so that it is dropped last: who is let in next finds the provider free.
    place: Option<Place>,
    limit: Arc<Limit<T>>,
}

/// One after the other in the same place: servers keep the room of a future for as long as its
/// answer streams.
#[expect(
    clippy::large_enum_variant,
    reason = "the smaller one is the inner future, whose size is not known here"
)]
#[pin_project(project = StateProj)]
enum State<S, B, T>
where
    S: Service<Request<B>>,
    T: Timer,
{
    Preparing {
        inner: S,
        /// `None` once the call is over.
        request: Option<Request<B>>,
        #[pin]
        wait: Option<Wait<T::Sleep>>,
        /// The lease of the place that it has.
        lease: Option<(Leasing, Class)>,
    },
    Calling(#[pin] S::Future),
    Refused(Option<Box<(Arc<Call>, Refusal)>>),
}

impl<S, B, T> ResponseFuture<S, B, T>
where
    S: Service<Request<B>> + Clone,
    B: HasCall,
    T: Timer,
{
    pub(super) fn new(
        inner: &S,
        request: Request<B>,
        admission: Admission<T>,
        limit: &Arc<Limit<T>>,
    ) -> Self {
        let prepare = |request, wait, lease| State::Preparing {
            inner: inner.clone(),
            request: Some(request),
            wait,
            lease,
        };
        let (state, place) = match admission {
            Admission::Passed => (prepare(request, None, None), None),
            Admission::Inside(place, class) => {
                let lease = limit.lease(&place, class).map(|lease| (lease, class));
                (prepare(request, None, lease), Some(place))
            }
            Admission::Waiting(wait) => (prepare(request, Some(wait), None), None),
            Admission::Refused(refusal) => {
                let call = Arc::clone(request.body().call());
                (State::Refused(Some(Box::new((call, refusal)))), None)
            }
        };
        Self {
            state,
            place,
            limit: Arc::clone(limit),
        }
    }
}

impl<S, B, T, ResBody> Future for ResponseFuture<S, B, T>
where
    S: Service<Request<B>, Response = Response<ResBody>>,
    B: HasCall,
    T: Timer,
    ResBody: Body<Data = Bytes>,
{
    type Output = Result<Response<reject::Body<ResponseBody<ResBody>>>, S::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        loop {
            match this.state.as_mut().project() {
                StateProj::Preparing {
                    inner,
                    request,
                    mut wait,
                    lease,
                } => {
                    let mut refusal = None;
                    if let Some(waiting) = wait.as_mut().as_pin_mut() {
                        let class = waiting.class();
                        match ready!(waiting.poll(cx)) {
                            Ok(place) => {
                                *lease = this.limit.lease(&place, class).map(|it| (it, class));
                                *this.place = Some(place);
                            }
                            Err(why) => refusal = Some(this.limit.refusal(class, why)),
                        }
                        wait.set(None);
                    }
                    if let Some((leasing, class)) = lease {
                        let leased = ready!(Pin::new(leasing).poll(cx));
                        if let Some(place) = this.place {
                            refusal = this.limit.hold(place, *class, leased).err();
                        }
                        *lease = None;
                    }
                    if let Some(refusal) = refusal {
                        *this.place = None;
                        let Some(request) = request.take() else {
                            return Poll::Pending;
                        };
                        let answer = this.limit.refuse(request.body().call(), refusal);
                        return Poll::Ready(Ok(answer));
                    }
                    if request.is_none() {
                        return Poll::Pending;
                    }
                    let ready = ready!(inner.poll_ready(cx));
                    let Some(request) = request.take() else {
                        return Poll::Pending;
                    };
                    if let Err(error) = ready {
                        drop(request);
                        *this.place = None;
                        return Poll::Ready(Err(error));
                    }
                    let future = inner.call(request);
                    this.state.set(State::Calling(future));
                }
                StateProj::Calling(future) => {
                    let answer = ready!(future.poll(cx));
                    // Given back here where there is no answer.
                    let place = this.place.take();
                    return Poll::Ready(answer.map(|answer| {
                        reject::passed(answer.map(|body| ResponseBody::new(body, place)))
                    }));
                }
                StateProj::Refused(refused) => {
                    let Some((call, refusal)) = refused.take().map(|refused| *refused) else {
                        return Poll::Pending;
                    };
                    return Poll::Ready(Ok(this.limit.refuse(&call, refusal)));
                }
            }
        }
    }
}

impl<S, B, T> fmt::Debug for ResponseFuture<S, B, T>
where
    S: Service<Request<B>>,
    T: Timer,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture")
            .field("place", &self.place)
            .finish_non_exhaustive()
    }
}
