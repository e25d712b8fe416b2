//! A provider whose answers take the time that a test wants, and what is seen of its calls.

use std::{
    convert::Infallible,
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use aigw_core::{BoxError, around, call::Record, key::Consumer, rt::Timer};
use aigw_policies::concurrency_limit::ConcurrencyLimitLayer;
use bytes::Bytes;
use http::{Request, Response};
use http_body::{Body, Frame};
use http_body_util::{BodyExt, combinators::UnsyncBoxBody};
use tokio::time::{Sleep, sleep};
use tower::{Layer, Service, ServiceExt, service_fn, util::BoxCloneService};

pub(crate) const SECOND: Duration = Duration::from_secs(1);

pub(crate) type Answer = Response<UnsyncBoxBody<Bytes, BoxError>>;
pub(crate) type Stack = BoxCloneService<Request<String>, Answer, BoxError>;

/// What is seen of the calls.
#[derive(Clone, Debug, Default)]
pub(crate) struct Below {
    inside: Arc<AtomicUsize>,
    most: Arc<AtomicUsize>,
    names: Arc<Mutex<Vec<String>>>,
}

impl Below {
    /// The most calls that there were at once.
    pub(crate) fn most(&self) -> usize {
        self.most.load(SeqCst)
    }

    /// Calls whose answer is neither at its end nor dropped.
    pub(crate) fn inside(&self) -> usize {
        self.inside.load(SeqCst)
    }

    /// The calls that came, in their order.
    pub(crate) fn names(&self) -> Vec<String> {
        self.names.lock().unwrap().clone()
    }

    fn enter<B>(&self, request: &Request<B>) -> Seen {
        let inside = self.inside.fetch_add(1, SeqCst) + 1;
        self.most.fetch_max(inside, SeqCst);
        let name = request.headers().get("x-name");
        let name = name.map_or("", |name| name.to_str().unwrap());
        self.names.lock().unwrap().push(name.to_owned());
        Seen(self.clone())
    }

    /// A stack whose answers take a second to their head and then one for each of so many frames.
    pub(crate) fn stack<T: Timer>(&self, limit: &ConcurrencyLimitLayer<T>, frames: usize) -> Stack {
        let below = self.clone();
        stack(
            limit,
            service_fn(move |request: Request<_>| {
                let seen = below.enter(&request);
                async move {
                    sleep(SECOND).await;
                    Ok::<_, Infallible>(Response::new(Ticking {
                        left: frames,
                        sleep: Box::pin(sleep(SECOND)),
                        _seen: seen,
                    }))
                }
            }),
        )
    }
}

/// A limit between a call and a meter, around any service.
pub(crate) fn stack<T, S, B>(limit: &ConcurrencyLimitLayer<T>, inner: S) -> Stack
where
    T: Timer,
    S: Service<Request<aigw_core::call::CallBody<String>>, Response = Response<B>>,
    S: Clone + Send + 'static,
    S::Future: Send,
    S::Error: Into<BoxError> + Send,
    B: Body<Data = Bytes, Error: Into<BoxError> + Send> + Send + 'static,
{
    around(limit.clone())
        .layer(inner)
        .map_response(|answer: Response<_>| {
            answer.map(|body| BodyExt::map_err(body, Into::into).boxed_unsync())
        })
        .map_err(Into::into)
        .boxed_clone()
}

/// A call of this name.
pub(crate) fn ask(name: &str) -> Request<String> {
    Request::post("/v1/chat/completions")
        .header("x-name", name)
        .body(r#"{"model":"m","messages":[]}"#.to_owned())
        .unwrap()
}

/// A call of low priority.
pub(crate) fn low(name: &str) -> Request<String> {
    let mut request = ask(name);
    request
        .headers_mut()
        .insert("x-priority", "low".parse().unwrap());
    request
}

/// The same call by a consumer.
pub(crate) fn by(consumer: Consumer, mut request: Request<String>) -> Request<String> {
    Record::of(request.extensions_mut()).state(consumer);
    request
}

pub(crate) async fn read(answer: Answer) -> Bytes {
    answer.into_body().collect().await.unwrap().to_bytes()
}

struct Seen(Below);

impl Drop for Seen {
    fn drop(&mut self) {
        self.0.inside.fetch_sub(1, SeqCst);
    }
}

struct Ticking {
    left: usize,
    sleep: Pin<Box<Sleep>>,
    _seen: Seen,
}

impl Body for Ticking {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        ready!(self.sleep.as_mut().poll(cx));
        self.sleep = Box::pin(sleep(SECOND));
        self.left -= 1;
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(b"tick")))))
    }
}
