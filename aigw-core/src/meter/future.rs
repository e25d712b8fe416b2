use std::{
    fmt,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use http::{Request, Response, header, response::Parts};
use http_body::Body;
use pin_project::pin_project;
use tower_service::Service;

use super::{
    HideUsage, MeterBody,
    asking::{Asking, is_refusal, may_refuse},
    reader::Reader,
};
use crate::{
    BoxError,
    body::{Beginning, PassThrough},
    call::{Call, HasCall, Summary},
    headers::encoding,
    observe::{Event, Observe},
    reject::Refused,
    rt::Clock,
};

/// The answer, with its meter.
///
/// # Cancel safety
///
/// Dropping it drops the inner call.
#[pin_project]
#[must_use = "futures do nothing unless polled"]
pub struct ResponseFuture<S, B, ResBody, C, O>
where
    S: Service<Request<B>>,
    ResBody: Body,
{
    answering: Answering<C, O>,
    /// What to do if the backend refuses the question for usage. While it is there, we have asked.
    second: Option<Second<S, B>>,
    /// The second try is under way: where to remember that the question alone was refused.
    doubt: Option<Doubt>,
    #[pin]
    state: State<S::Future, ResBody>,
}

/// What the answer's body is made with.
pub(super) struct Answering<C, O> {
    /// Without the body, which the answer does not need.
    pub(super) summary: Arc<Summary>,
    pub(super) clock: C,
    pub(super) observe: O,
}

/// A second try, without the question.
pub(super) struct Second<S, B> {
    pub(super) request: Request<B>,
    pub(super) inner: S,
    pub(super) asking: Asking,
}

/// A model whose backend may have refused the question, or only what the caller sent: error texts
/// repeat the words of bad requests.
struct Doubt {
    asking: Asking,
    model: Option<Box<str>>,
}

#[pin_project(project = StateProj)]
enum State<F, ResBody: Body> {
    Calling(#[pin] F),
    /// An error that may be about the question is read, up to [`LOOK`] bytes.
    Looking(Option<Box<(Parts, Beginning<ResBody>)>>),
    /// It is about the question: the inner service is made ready for the second try.
    Retrying,
}

/// How much of an error is looked at.
const LOOK: usize = 16 << 10;

impl<S, B, ResBody, C, O> ResponseFuture<S, B, ResBody, C, O>
where
    S: Service<Request<B>>,
    ResBody: Body,
{
    pub(super) fn new(
        future: S::Future,
        answering: Answering<C, O>,
        second: Option<Second<S, B>>,
    ) -> Self {
        Self {
            answering,
            second,
            doubt: None,
            state: State::Calling(future),
        }
    }
}

impl<S, B, ResBody, C, O> Future for ResponseFuture<S, B, ResBody, C, O>
where
    S: Service<Request<B>, Response = Response<ResBody>>,
    B: HasCall,
    ResBody: Body,
    ResBody::Error: Into<BoxError>,
    C: Clock,
    O: Observe,
{
    type Output = Result<Response<HideUsage<MeterBody<ResBody, C>>>, S::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        loop {
            let response = match this.state.as_mut().project() {
                StateProj::Calling(future) => {
                    let response = ready!(future.poll(cx))?;
                    if let Some(Doubt { asking, model }) = this.doubt.take()
                        && response.status().is_success()
                    {
                        let model = model.as_deref();
                        asking.refuse(model);
                        this.answering
                            .observe
                            .observe(&Event::UsageRefused { model });
                    }
                    if this.second.is_some() && may_refuse(response.status()) {
                        let (head, body) = response.into_parts();
                        this.state
                            .set(State::Looking(Some(Box::new((head, Beginning::new(body))))));
                        continue;
                    }
                    response.map(PassThrough::untouched)
                }
                StateProj::Looking(looking) => {
                    let Some((_, body)) = looking.as_deref_mut() else {
                        return Poll::Pending;
                    };
                    while !body.has_ended() && body.bytes().len() < LOOK {
                        ready!(body.poll_more(cx));
                    }
                    if is_refusal(body.bytes()) {
                        this.state.set(State::Retrying);
                        continue;
                    }
                    let Some((head, body)) = looking.take().map(|looked| *looked) else {
                        return Poll::Pending;
                    };
                    Response::from_parts(head, body.into())
                }
                StateProj::Retrying => {
                    if let Some(second) = this.second.as_mut() {
                        ready!(second.inner.poll_ready(cx))?;
                    }
                    let Some(Second {
                        request,
                        mut inner,
                        asking,
                    }) = this.second.take()
                    else {
                        return Poll::Pending;
                    };
                    let model = request.body().model().map(Into::into);
                    *this.doubt = Some(Doubt { asking, model });
                    this.state.set(State::Calling(inner.call(request)));
                    continue;
                }
            };
            let hides = this.second.take().is_some();
            return Poll::Ready(Ok(this.answering.metered(response, hides)));
        }
    }
}

impl<C, O> Answering<C, O> {
    fn call(&self) -> Call {
        Call::over(Arc::clone(&self.summary))
    }
}

impl<C: Clock, O: Observe> Answering<C, O> {
    fn metered<B>(
        &self,
        response: Response<PassThrough<B>>,
        hides: bool,
    ) -> Response<HideUsage<MeterBody<B, C>>>
    where
        B: Body,
        B::Error: Into<BoxError>,
    {
        let (mut head, body) = response.into_parts();
        let reader = if !head.status.is_success() {
            Reader::Opaque
        } else if let Some(encoding) = encoding(&head.headers) {
            self.observe.observe(&Event::EncodedAnswer { encoding });
            Reader::Opaque
        } else {
            Reader::new(&self.call(), &head.headers)
        };
        let hides = hides && matches!(reader, Reader::Events(_));
        let mut body = MeterBody::new(body, reader, self.clock.clone());
        // As the leaf does, where nobody answered it.
        if Refused::of(&head.extensions).is_some() {
            body = body.in_place_of_provider(head.extensions.get().copied());
        }
        let body = if hides {
            // The caller receives less than was announced.
            head.headers.remove(header::CONTENT_LENGTH);
            HideUsage::on(body)
        } else {
            HideUsage::off(body)
        };
        Response::from_parts(head, body)
    }
}

impl<S, B, ResBody, C, O> fmt::Debug for ResponseFuture<S, B, ResBody, C, O>
where
    S: Service<Request<B>>,
    ResBody: Body,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture")
            .field("call", &self.answering.call())
            .finish_non_exhaustive()
    }
}
