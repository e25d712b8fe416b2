//! The suites, run on core's own layers.

use std::{
    convert::Infallible,
    future::{Ready, ready},
    pin::pin,
    task::{Context, Poll, Waker},
};

use aigw_core::{
    around,
    call::{CallBody, CallLayer},
    meter::{Across, BoxMetered, Ended, MeterLayer, Metered, ReportLayer},
    testing::contract::{
        body::{self, Sample},
        drops, service,
    },
};
use tower::{Layer, Service, layer::util::Identity, util::MapResponseLayer};

use super::*;

/// The output of a future that waits for nothing.
fn now<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("it waits"),
    }
}

fn chat(stream: bool) -> Request<Full<Bytes>> {
    let hello = json!([{"role": "user", "content": "Hello!"}]);
    let ask = json!({"model": "m", "stream": stream, "messages": hello});
    Request::post(CHAT)
        .body(Full::from(ask.to_string()))
        .unwrap()
}

/// Runs the suite on what comes out of a stack, for every kind of answer to every kind of call.
fn check_answers<S, B>(stack: impl Fn(Answering) -> S)
where
    S: Service<Request<Full<Bytes>>, Response = Response<B>, Error = Infallible>,
    B: Metered,
{
    let kinds = [
        "text/event-stream",
        "application/json",
        "application/octet-stream",
    ];
    for kind in kinds {
        // Of a stream that is asked for its usage, the event that states it is hidden.
        for stream in [false, true] {
            body::check(|sample| {
                let stack = stack(Answering { kind, sample });
                now(stack.oneshot(chat(stream))).unwrap().into_body()
            });
        }
    }
}

/// Answers every call with a sample of some content type.
#[derive(Clone)]
struct Answering {
    kind: &'static str,
    sample: Sample,
}

impl<B> Service<Request<B>> for Answering {
    type Response = Response<Sample>;
    type Error = Infallible;
    type Future = Ready<Result<Response<Sample>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<B>) -> Self::Future {
        let answer = Response::builder().header("content-type", self.kind);
        ready(Ok(answer.body(self.sample.clone()).unwrap()))
    }
}

#[test]
fn the_bodies_of_call_and_meter_are_windows() {
    check_answers(|inner| around(Identity::new()).layer(inner));
}

#[test]
fn the_body_of_a_report_is_a_window() {
    check_answers(|inner| around(ReportLayer::new(|_: &Ended<'_>| {})).layer(inner));
}

#[test]
fn a_body_that_hands_its_meter_across_is_a_window() {
    let foreign = MapResponseLayer::new(|answer: Response<_>| answer.map(BodyExt::boxed_unsync));
    let across = around(Across::new(foreign));
    check_answers(|inner| across.layer(inner));
}

#[test]
fn a_box_of_a_body_is_a_window() {
    body::check(BoxMetered::new);
}

#[test]
fn what_stands_below_the_call_is_ready_when_its_inner_service_is() {
    type Asked = Request<CallBody<Full<Bytes>>>;
    let report = ReportLayer::new(|_: &Ended<'_>| {});
    let across = Across::new(Identity::new());
    service::forwards_readiness::<Asked, _, _>(|inner| MeterLayer::new().layer(inner));
    service::forwards_readiness::<Asked, _, _>(|inner| report.layer(inner));
    service::forwards_readiness::<Asked, _, _>(|inner| across.layer(inner));
}

#[tokio::test]
async fn every_layer_calls_what_is_ready() {
    let report = ReportLayer::new(|_: &Ended<'_>| {});
    let across = Across::new(Identity::new());
    let call = CallLayer::new();
    for stream in [false, true] {
        let ask = || chat(stream);
        service::calls_what_is_ready(|inner| call.layer(inner), ask).await;
        service::calls_what_is_ready(|inner| call.layer(MeterLayer::new().layer(inner)), ask).await;
        service::calls_what_is_ready(|inner| call.layer(report.layer(inner)), ask).await;
        service::calls_what_is_ready(|inner| call.layer(across.layer(inner)), ask).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_dropped_anywhere_is_dropped_at_the_provider() {
    let provider =
        provider_with(Config::default().time_per_token(std::time::Duration::from_millis(1)));
    let stack = around(Identity::new()).layer(provider.clone());
    let call = || stack.clone().oneshot(chat(true));
    drops::at_every_poll(call, |_| assert_eq!(provider.in_flight(), 0)).await;
}
