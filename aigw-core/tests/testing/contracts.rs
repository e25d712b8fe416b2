//! The suites, run on core's own layers.

use std::{
    convert::Infallible,
    future::ready,
    pin::pin,
    task::{Context, Poll, Waker},
};

use aigw_core::{
    around,
    call::CallLayer,
    meter::MeterLayer,
    testing::contract::{body, drops, service},
};
use tower::{Layer, layer::util::Identity, service_fn};

use super::*;

/// The output of a future that waits for nothing.
fn now<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("it waits"),
    }
}

fn chat() -> Request<Full<Bytes>> {
    Request::post(CHAT)
        .body(Full::from(hello().to_string()))
        .unwrap()
}

#[test]
fn the_bodies_of_call_and_meter_are_windows() {
    let kinds = [
        "text/event-stream",
        "application/json",
        "application/octet-stream",
    ];
    for kind in kinds {
        body::check(|sample| {
            let inner = service_fn(|_| {
                let response = Response::builder().header("content-type", kind);
                ready(Ok::<_, Infallible>(response.body(sample.clone()).unwrap()))
            });
            let stack = around(Identity::new()).layer(inner);
            now(stack.oneshot(chat())).unwrap().into_body()
        });
    }
}

#[tokio::test]
async fn call_and_meter_call_what_is_ready() {
    service::calls_what_is_ready(|inner| CallLayer::new().layer(inner), chat).await;
    let stack = |inner| CallLayer::new().layer(MeterLayer::new().layer(inner));
    service::calls_what_is_ready(stack, chat).await;
}

#[tokio::test(start_paused = true)]
async fn a_call_dropped_anywhere_is_dropped_at_the_provider() {
    let provider =
        provider_with(Config::default().time_per_token(std::time::Duration::from_millis(1)));
    let stack = around(Identity::new()).layer(provider.clone());
    let mut ask = hello();
    ask["stream"] = true.into();
    let call = || {
        let request = Request::post(CHAT)
            .body(Full::<Bytes>::from(ask.to_string()))
            .unwrap();
        stack.clone().oneshot(request)
    };
    drops::at_every_poll(call, |_| assert_eq!(provider.in_flight(), 0)).await;
}
