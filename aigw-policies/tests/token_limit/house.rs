//! A limiter between a call and a meter, over a provider that answers what it is told.

use std::{
    collections::VecDeque,
    convert::Infallible,
    fmt::Debug,
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll},
    time::Duration,
};

use aigw_core::{
    call::{Call, CallLayer, Record},
    key::Consumer,
    meter::MeterLayer,
    rt::Tokio,
};
use aigw_policies::{
    budget::{Key, Limit, MemoryStore, Rate, Store},
    token_limit::{Budget, OnOpaque, Output, TokenLimitLayer},
    tokens::{Estimate, Estimator},
};
use bytes::Bytes;
use http::{Request, Response};
use http_body::{Body, Frame};
use http_body_util::{BodyExt, Full, combinators::UnsyncBoxBody};
use tower::{ServiceBuilder, ServiceExt, service_fn};

/// Takes the user's name of a call for the number of its tokens.
#[derive(Clone, Debug, Default)]
pub(crate) struct Told {
    /// What was settled: estimated and actual.
    pub(crate) settled: Arc<Mutex<Vec<(u64, u64)>>>,
}

impl Estimator for Told {
    fn estimate(&self, call: &Call) -> Estimate {
        let tokens = call.user().and_then(|user| user.parse().ok()).unwrap_or(0);
        Estimate::new(tokens, tokens, tokens)
    }

    fn settle(&self, _: &Call, estimate: &Estimate, actual: u64) {
        self.settled
            .lock()
            .unwrap()
            .push((estimate.tokens(), actual));
    }
}

pub(crate) type Answer = Response<UnsyncBoxBody<Bytes, Infallible>>;

/// Everything that a test holds of it.
pub(crate) struct House {
    pub(crate) store: MemoryStore<Tokio>,
    pub(crate) told: Told,
    pub(crate) limit: TokenLimitLayer<MemoryStore<Tokio>>,
    answer: Arc<dyn Fn(Request<()>) -> Answer + Send + Sync>,
}

pub(crate) fn per_minute(tokens: u64) -> Limit {
    Rate::try_new(tokens, Duration::from_secs(60))
        .unwrap()
        .into()
}

impl House {
    pub(crate) fn new(budgets: impl IntoIterator<Item = Budget>) -> Self {
        Self::with(budgets, OnOpaque::Pass)
    }

    pub(crate) fn with(budgets: impl IntoIterator<Item = Budget>, opaque: OnOpaque) -> Self {
        Self::made(MemoryStore::with_clock(Tokio, 1000), budgets, opaque)
    }

    /// One whose levels others have as well.
    pub(crate) fn over(
        store: MemoryStore<Tokio>,
        budgets: impl IntoIterator<Item = Budget>,
    ) -> Self {
        Self::made(store, budgets, OnOpaque::Pass)
    }

    fn made(
        store: MemoryStore<Tokio>,
        budgets: impl IntoIterator<Item = Budget>,
        opaque: OnOpaque,
    ) -> Self {
        let told = Told::default();
        let limit = TokenLimitLayer::try_new(budgets, store.clone(), opaque).unwrap();
        Self {
            limit: limit.output(Output::Tokens(50)).estimator(told.clone()),
            store,
            told,
            answer: Arc::new(|_| usage(10, 10)),
        }
    }

    /// Changes the limiter.
    pub(crate) fn limit(
        mut self,
        change: impl FnOnce(TokenLimitLayer<MemoryStore<Tokio>>) -> TokenLimitLayer<MemoryStore<Tokio>>,
    ) -> Self {
        self.limit = change(self.limit);
        self
    }

    /// Answers so.
    pub(crate) fn answering(
        mut self,
        answer: impl Fn(Request<()>) -> Answer + Send + Sync + 'static,
    ) -> Self {
        self.answer = Arc::new(answer);
        self
    }

    /// Calls without reading the answer.
    pub(crate) async fn send(
        &self,
        request: Request<Full<Bytes>>,
    ) -> Response<impl Body<Data = Bytes, Error: Debug> + Unpin + use<>> {
        let answer = Arc::clone(&self.answer);
        let stack = ServiceBuilder::new()
            .layer(CallLayer::new())
            .layer(self.limit.clone())
            .layer(MeterLayer::new().with_clock(Tokio))
            .service(service_fn(move |request: Request<_>| {
                let answer = answer(request.map(drop));
                async { Ok::<_, Infallible>(answer) }
            }));
        stack.oneshot(request).await.unwrap()
    }

    /// Calls, and reads the answer to its end.
    pub(crate) async fn call(&self, request: Request<Full<Bytes>>) -> Response<Bytes> {
        let (parts, body) = self.send(request).await.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Response::from_parts(parts, body)
    }

    /// What a budget without a key has left of its limit.
    pub(crate) fn left(&self, name: &str, limit: Limit) -> u64 {
        self.left_of(name, &[], limit)
    }

    pub(crate) fn left_of(&self, name: &str, key: &[Option<&str>], limit: Limit) -> u64 {
        let key = Key::new(name, key.iter().copied());
        let left = self.store.left(&key, &limit);
        left.map_or_else(|| limit.amount(), |left| left.remaining)
    }
}

/// A chat that is estimated at so many tokens.
pub(crate) fn chat(tokens: u64) -> Request<Full<Bytes>> {
    request(&format!(
        r#"{{"model":"m","user":"{tokens}","messages":[]}}"#
    ))
}

pub(crate) fn request(body: &str) -> Request<Full<Bytes>> {
    Request::post("/v1/chat/completions")
        .header("content-type", "application/json")
        .body(Full::from(body.to_owned()))
        .unwrap()
}

/// The same from a consumer.
pub(crate) fn from(consumer: Consumer, mut request: Request<Full<Bytes>>) -> Request<Full<Bytes>> {
    Record::of(request.extensions_mut()).state(consumer);
    request
}

/// A whole answer with this usage.
pub(crate) fn usage(input: u64, output: u64) -> Answer {
    json(
        200,
        &format!(
            r#"{{"choices":[{{"message":{{"content":"hello"}},"finish_reason":"stop"}}],"usage":{{"prompt_tokens":{input},"completion_tokens":{output}}}}}"#
        ),
    )
}

pub(crate) fn json(status: u16, body: &str) -> Answer {
    Response::builder()
        .status(status)
        .header("content-type", "application/json")
        .body(Full::from(body.to_owned()).boxed_unsync())
        .unwrap()
}

/// A stream of these events, one a frame.
pub(crate) fn stream(events: Vec<String>) -> Answer {
    Response::builder()
        .header("content-type", "text/event-stream")
        .body(Events(events.into()).boxed_unsync())
        .unwrap()
}

struct Events(VecDeque<String>);

impl Body for Events {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let event = self.0.pop_front();
        Poll::Ready(event.map(|event| Ok(Frame::data(event.into()))))
    }
}

/// An event with so many bytes of content.
pub(crate) fn delta(bytes: usize) -> String {
    let text = "x".repeat(bytes);
    format!("data: {{\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"{text}\"}}}}]}}\n\n")
}
