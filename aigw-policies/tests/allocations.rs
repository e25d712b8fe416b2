//! What a policy allocates for each call.
#![cfg(feature = "full")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{convert::Infallible, future::ready, pin::pin};

use aigw_core::call::Record;
use aigw_policies::access::{AuthenticateLayer, Config, ConsumerConfig};
use allocation_counter::measure;
use http::{Request, Response};
use http_body_util::Empty;
use tower::{Layer, Service, service_fn};

/// How often a call allocates on its way in and out, the request and its record not counted.
fn count(uri: &str, name: &str, value: &str) -> u64 {
    let config = Config::default()
        .required(false)
        .key_query("code")
        .consumer(
            ConsumerConfig::new("team-a")
                .key("sk-team-a")
                .label("tier", "gold"),
        );
    let layer = AuthenticateLayer::try_new(config).unwrap();
    let mut service = layer.layer(service_fn(|_: Request<()>| {
        ready(Ok::<_, Infallible>(Response::new(Empty::<&[u8]>::new())))
    }));
    let mut request = Request::get(uri).header(name, value).body(()).unwrap();
    // `CallLayer` makes one where none is.
    let record = Record::of(request.extensions_mut());
    let counted = measure(|| {
        let call = pin!(service.call(request));
        let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
        let std::task::Poll::Ready(Ok(answer)) = call.poll(&mut cx) else {
            unreachable!("it answers at once")
        };
        assert!(!answer.body().is_refused());
    });
    assert!(record.latest::<aigw_core::key::Consumer>().is_some());
    counted.count_total
}

#[test]
fn a_caller_that_is_let_in_allocates_a_place_in_the_record_and_nothing_else() {
    for (name, value) in [
        ("authorization", "Bearer sk-team-a"),
        ("api-key", "sk-team-a"),
        ("x-goog-api-key", "sk-team-a"),
        ("x-trace", "anonymous"),
    ] {
        assert_eq!(count("/v1/models", name, value), 1, "{name}");
    }
    // A URL without the key is another URL.
    assert!(count("/v1/models?code=sk%2dteam-a&a=b", "x-trace", "1") <= 12);
}
