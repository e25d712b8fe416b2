//! What passes unread, and how a call travels.

use std::{convert::Infallible, sync::Arc, task::Poll};

use aigw_core::call::{Call, CallBody, CallLayer, HasCall};
use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use http_body_util::Full;
use tower::{Layer, Service, ServiceExt, service_fn};

use crate::{
    stack::{CHAT, json, post, send},
    support::{Script, Step, drain, run, trailers},
};

#[test]
fn an_unknown_operation_passes_opaque_with_its_own_frames_trailers_and_errors() {
    for end in [Step::Trailers(trailers()), Step::Fail("broken")] {
        let body = Script::chunks(["{", "not json", ""]).then(end);
        let expected = drain(&mut body.clone());
        let passed = send(&CallLayer::new(), post("/v1/files", body)).passed();
        let mut body = passed.into_body();
        assert!(body.call().is_opaque());
        assert_eq!((body.call().model(), body.call().body()), (None, None));
        assert!(body.try_clone().is_none());
        assert!(!body.edit(aigw_core::call::Edit::IncludeUsage));
        assert_eq!(drain(&mut body), expected);
    }
}

#[test]
fn an_opaque_body_keeps_its_length() {
    let body = Script::chunks(["ab", "c"]).exact();
    let body = send(&CallLayer::new(), post("/v1/files", body))
        .passed()
        .into_body();
    assert_eq!(
        (body.size_hint().exact(), body.is_end_stream()),
        (Some(3), false)
    );
}

#[test]
fn a_request_without_a_body_is_an_empty_call() {
    for (method, uri) in [
        ("GET", "/v1/models"),
        ("HEAD", "/v1/models"),
        ("GET", CHAT),
        ("DELETE", "/v1/files/f"),
    ] {
        let request = Request::builder().method(method).uri(uri);
        let request = request.body(Script::new([]).exact()).unwrap();
        let passed = send(&CallLayer::new(), request).passed();
        let mut body = passed.into_body();
        assert_eq!(
            body.call().body().map(Bytes::len),
            Some(0),
            "{method} {uri}"
        );
        assert!(body.is_end_stream() && body.size_hint().exact() == Some(0));
        assert_eq!(drain(&mut body).frames.len(), 0);
    }
}

#[test]
fn a_json_body_is_put_together_from_its_frames() {
    let text = r#"{"model":"m","messages":[{"role":"user","content":"日本"}]}"#;
    for size in 1..text.len() {
        let chunks = Script::chunks(text.as_bytes().chunks(size)).then(Step::Trailers(trailers()));
        let passed = send(&CallLayer::new(), post(CHAT, chunks)).passed();
        let call = Call::of(passed.extensions()).unwrap().clone();
        assert!(Arc::ptr_eq(&call, passed.body().call()));
        assert_eq!(call.body().unwrap(), text);
        let parts: Vec<_> = call.parts().iter().map(|part| call.json(part)).collect();
        assert_eq!(parts, [&text.as_bytes()[25..text.len() - 2]]);
    }
}

#[test]
fn one_frame_is_not_copied() {
    let bytes = Bytes::from_static(br#"{"model":"m"}"#);
    let passed = send(
        &CallLayer::new(),
        post(CHAT, Script::new([Step::Data(bytes.clone())])),
    );
    assert_eq!(
        passed.passed().body().call().body().unwrap().as_ptr(),
        bytes.as_ptr()
    );
}

#[test]
fn a_second_layer_takes_over_the_call_that_the_first_has_read() {
    let seen = std::cell::RefCell::new(None);
    let keep = &seen;
    let inner = service_fn(move |request: Request<CallBody<CallBody<Script>>>| {
        *keep.borrow_mut() = Some(request.into_body().call().clone());
        std::future::ready(Ok::<_, Infallible>(Response::new(Full::<Bytes>::default())))
    });
    let second = CallLayer::new().layer(inner);
    let first_seen = std::cell::RefCell::new(None);
    let between = tower::util::MapRequest::new(second, |request: Request<CallBody<Script>>| {
        *first_seen.borrow_mut() = Some(request.body().call().clone());
        request
    });
    let service = CallLayer::new().layer(between);
    run(service
        .clone()
        .oneshot(post(CHAT, Script::chunks([r#"{"model":"m"}"#]))))
    .unwrap();
    let (first, second) = (first_seen.take().unwrap(), seen.take().unwrap());
    assert!(Arc::ptr_eq(&first, &second));
}

#[test]
fn another_body_is_another_call() {
    let seen = std::cell::RefCell::new(None);
    let keep = &seen;
    let inner = service_fn(move |request: Request<CallBody<CallBody<Script>>>| {
        *keep.borrow_mut() = request.into_body().call().model().map(str::to_owned);
        std::future::ready(Ok::<_, Infallible>(Response::new(Full::<Bytes>::default())))
    });
    let second = CallLayer::new().layer(inner);
    let between = tower::util::MapRequest::new(second, |mut request: Request<CallBody<Script>>| {
        assert!(
            request
                .body_mut()
                .edit(aigw_core::call::Edit::Model("n".into()))
        );
        request
    });
    let service = CallLayer::new().layer(between);
    run(service
        .clone()
        .oneshot(post(CHAT, Script::chunks([r#"{"model":"m"}"#]))))
    .unwrap();
    assert_eq!(seen.take().as_deref(), Some("n"));
}

/// Counts the polls of its readiness, and refuses to be called without.
#[derive(Clone)]
struct Ready<'c>(&'c std::cell::Cell<u32>, u32);

impl Service<Request<CallBody<Script>>> for Ready<'_> {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = std::future::Ready<Result<Response<Full<Bytes>>, Infallible>>;

    fn poll_ready(&mut self, _: &mut std::task::Context<'_>) -> Poll<Result<(), Infallible>> {
        self.0.set(self.0.get() + 1);
        self.1 += 1;
        if self.1 < 3 {
            Poll::Pending
        } else {
            Poll::Ready(Ok(()))
        }
    }

    fn call(&mut self, _: Request<CallBody<Script>>) -> Self::Future {
        assert!(self.1 >= 3, "called before it was ready");
        std::future::ready(Ok(Response::new(Full::default())))
    }
}

#[test]
fn the_inner_service_is_asked_for_readiness_only_when_the_body_is_read() {
    let polls = std::cell::Cell::new(0);
    let mut service = CallLayer::new().layer(Ready(&polls, 0));
    let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
    assert!(service.poll_ready(&mut cx).is_ready());
    let body = Script::new([
        Step::Wait,
        Step::Wait,
        Step::Data(r#"{"model":"m"}"#.into()),
        Step::Wait,
    ]);
    let mut future = std::pin::pin!(service.call(post(CHAT, body)));
    for _ in 0..3 {
        assert!(future.as_mut().poll(&mut cx).is_pending());
        assert_eq!(polls.get(), 0);
    }
    assert!(future.as_mut().poll(&mut cx).is_pending());
    assert_eq!(polls.get(), 1);
    assert_eq!(run(future).unwrap().status(), 200);
    // A refused request never asks.
    polls.set(0);
    assert_eq!(
        run(service.call(post(CHAT, Script::chunks(["{"]))))
            .unwrap()
            .status(),
        400
    );
    assert_eq!(polls.get(), 0);
}

#[test]
fn the_record_is_the_one_that_an_outer_layer_put_there() {
    let outcome = json(CHAT, r#"{"model":"m"}"#);
    let record = outcome.record.clone();
    assert!(Arc::ptr_eq(
        outcome.passed().body().call().record(),
        &record
    ));
}
