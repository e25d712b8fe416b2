//! What a policy allocates for each call.
#![cfg(feature = "full")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{convert::Infallible, future::ready, pin::pin};

use aigw_core::call::{CallBody, CallLayer, Record};
use aigw_policies::{
    access::{AuthenticateLayer, Config, ConsumerConfig},
    budget::{Headers, MemoryStore, Rate},
    request_limit::{self, RequestLimitLayer},
};
use allocation_counter::measure;
use bytes::Bytes;
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

/// How often a call allocates behind a [`CallLayer`] whose key has been seen before.
fn count_known<S, B>(service: S) -> u64
where
    S: Service<Request<CallBody<Empty<Bytes>>>, Response = Response<B>, Error = Infallible> + Clone,
    B: http_body::Body<Data = Bytes>,
{
    let mut service = CallLayer::new().layer(service);
    let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
    let counts = [(); 2].map(|()| {
        let request = Request::get("/v1/models").body(Empty::new()).unwrap();
        let counted = measure(|| {
            let call = pin!(service.call(request));
            let std::task::Poll::Ready(Ok(answer)) = call.poll(&mut cx) else {
                unreachable!("it answers at once")
            };
            assert_eq!(answer.status(), 200);
        });
        counted.count_total
    });
    counts[1]
}

#[test]
fn a_request_that_is_let_in_allocates_its_key_and_the_headers_that_tell_of_it() {
    let answer = service_fn(|_| ready(Ok::<_, Infallible>(Response::new(Empty::<Bytes>::new()))));
    let unlimited = count_known(answer);
    let rate = Rate::try_new(1000, std::time::Duration::from_secs(1)).unwrap();
    let config = request_limit::Config::new([], rate);
    let limit = RequestLimitLayer::try_new(config.clone()).unwrap();
    let silent = limit.clone().headers(Headers::none()).unwrap();
    // The key, and the mark on the answer.
    assert_eq!(count_known(silent.layer(answer)) - unlimited, 5);
    // Three values and the room for them.
    let told = count_known(limit.layer(answer)) - unlimited;
    assert!(told <= 13, "{told}");
    // A store is given claims and gives holds.
    let stored = RequestLimitLayer::with_store(config, MemoryStore::new()).unwrap();
    let stored = count_known(stored.headers(Headers::none()).unwrap().layer(answer)) - unlimited;
    assert!(stored <= 13, "{stored}");
}
