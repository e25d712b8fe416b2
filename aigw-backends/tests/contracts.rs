//! The house's contract suites, run on every layer of this crate.

#![cfg(feature = "full")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail loudly")]

use std::{
    convert::Infallible,
    future::ready,
    pin::pin,
    task::{Context, Poll, Waker},
    time::Duration,
};

use aigw_backends::{
    credentials::{Credentials, CredentialsLayer},
    leaf::Leaf,
    routing::{Route, RouterLayer, Table},
    timeout::{ReaderTimeoutLayer, TimeoutLayer, Timeouts},
    transform::{TransformLayer, Upstream},
};
use aigw_core::{
    BoxError,
    call::{CallBody, CallLayer},
    dialect::Dialect,
    meter::{MeterLayer, Metered},
    rt::Tokio,
    testing::{
        Provider,
        contract::{body, drops, service},
        provider::Config,
    },
};
use bytes::Bytes;
use http::{Request, Response, Version};
use http_body_util::Full;
use tower::{Layer, Service, ServiceExt, service_fn};

const HOUR: Duration = Duration::from_secs(3600);

fn chat(stream: bool) -> Request<Full<Bytes>> {
    let body = format!(
        r#"{{"model":"gpt-4o","stream":{stream},"messages":[{{"role":"user","content":"Hello!"}}]}}"#
    );
    Request::post("/v1/chat/completions")
        .body(body.into())
        .unwrap()
}

fn timeouts() -> TimeoutLayer<Tokio> {
    let timeouts = Timeouts::default().headers(HOUR).first_token(HOUR);
    TimeoutLayer::try_new(timeouts.idle(HOUR).total(HOUR), Tokio).unwrap()
}

fn reader_timeout() -> ReaderTimeoutLayer<Tokio> {
    ReaderTimeoutLayer::new(HOUR, Tokio)
}

fn routes() -> RouterLayer<&'static str> {
    RouterLayer::new(Table::try_new([Route::to("provider").model("gpt-*")]).unwrap())
}

fn transform() -> TransformLayer {
    let base = "http://provider.test".parse().unwrap();
    TransformLayer::new(Upstream::try_new(base, Dialect::OpenAi).unwrap())
}

fn credentials() -> CredentialsLayer {
    CredentialsLayer::try_new(Credentials::ApiKey("sk-own".into()), Dialect::OpenAi).unwrap()
}

/// The output of a future that waits for nothing.
fn now<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("it waits"),
    }
}

#[tokio::test(start_paused = true)]
async fn every_body_is_a_window() {
    body::check(|sample| {
        let provider = service_fn(|_| ready(Ok::<_, BoxError>(Response::new(sample.clone()))));
        let leaf = Leaf::new(provider);
        let sent = transform().layer(credentials().layer(leaf));
        let timed = timeouts().layer(MeterLayer::new().layer(sent));
        let stack = CallLayer::new().layer(routes().layer(timed));
        now(stack.oneshot(chat(true))).unwrap().into_body()
    });
}

#[tokio::test(start_paused = true)]
async fn the_body_of_a_timeout_is_a_window() {
    body::check(|sample| {
        let answer = service_fn(|_| ready(Ok::<_, BoxError>(Response::new(sample.clone()))));
        let stack = CallLayer::new().layer(timeouts().layer(answer));
        now(stack.oneshot(chat(false))).unwrap().into_body()
    });
}

#[tokio::test(start_paused = true)]
async fn a_watched_body_is_a_window_and_so_is_one_that_need_not_be() {
    for version in [Version::HTTP_2, Version::HTTP_11] {
        body::check(|sample| {
            let answer = service_fn(|_| ready(Ok::<_, Infallible>(Response::new(sample.clone()))));
            let mut request = Request::new(());
            *request.version_mut() = version;
            let stack = reader_timeout().layer(answer);
            now(stack.oneshot(request)).unwrap().into_body()
        });
    }
}

#[test]
fn what_documents_it_is_ready_when_its_inner_service_is() {
    type Asked = Request<CallBody<Full<Bytes>>>;
    service::forwards_readiness::<Asked, _, _>(|inner| timeouts().layer(inner));
    service::forwards_readiness::<Asked, _, _>(|inner| transform().layer(inner));
    service::forwards_readiness::<Asked, _, _>(|inner| credentials().layer(inner));
    service::forwards_readiness::<Asked, _, _>(|inner| reader_timeout().layer(inner));
}

#[tokio::test(start_paused = true)]
async fn every_layer_calls_what_is_ready() {
    let ask = || chat(false);
    let call = CallLayer::new();
    service::calls_what_is_ready(|inner| call.layer(routes().layer(inner)), ask).await;
    service::calls_what_is_ready(|inner| call.layer(timeouts().layer(inner)), ask).await;
    service::calls_what_is_ready(|inner| call.layer(transform().layer(inner)), ask).await;
    service::calls_what_is_ready(|inner| call.layer(credentials().layer(inner)), ask).await;
    service::calls_what_is_ready(|inner| call.layer(Leaf::new(inner)), ask).await;
    service::calls_what_is_ready(|inner| reader_timeout().layer(inner), ask).await;
}

#[tokio::test(start_paused = true)]
async fn a_call_dropped_anywhere_is_dropped_at_the_provider() {
    let slow = Config::default().time_per_token(Duration::from_millis(1));
    let provider = Provider::with_config(slow, Tokio);
    let stack = stack(Leaf::new(provider.clone()));
    let call = || stack.clone().oneshot(chat(true));
    drops::at_every_poll(call, |_| assert_eq!(provider.in_flight(), 0)).await;
}

fn stack<S, B>(
    provider: S,
) -> impl Service<
    Request<Full<Bytes>>,
    Response = Response<impl Metered<Error = BoxError>>,
    Error = Infallible,
> + Clone
where
    S: Service<Request<CallBody<Full<Bytes>>>, Response = Response<B>, Error = Infallible> + Clone,
    B: http_body::Body<Data = Bytes, Error = BoxError>,
{
    let sent = transform().layer(credentials().layer(provider));
    let timed = timeouts().layer(MeterLayer::new().layer(sent));
    CallLayer::new().layer(routes().layer(timed))
}
