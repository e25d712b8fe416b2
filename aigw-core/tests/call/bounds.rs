//! Limits of size, of buffers and of time.

use std::{convert::Infallible, task::Poll};

use aigw_core::{
    call::{CallBody, CallLayer},
    reject::Reason,
};
use bytes::Bytes;
use http::{HeaderValue, Request, Response};
use http_body::Body;
use http_body_util::Full;
use tower::{Layer, ServiceExt, service_fn};

use crate::{
    stack::{CHAT, post, send},
    support::{Script, Step},
};

const SMALL: &str = r#"{"model":"m"}"#;

fn reason(layer: &CallLayer, request: Request<Script>) -> Option<Reason> {
    send(layer, request).refused().map(|refused| refused.reason)
}

#[test]
fn a_body_of_exactly_the_limit_is_read_and_one_byte_more_is_refused() {
    let layer = CallLayer::new().max_body_bytes(SMALL.len());
    for size in [1, 5, SMALL.len()] {
        let chunks = || Script::chunks(SMALL.as_bytes().chunks(size));
        assert_eq!(reason(&layer, post(CHAT, chunks())), None);
        let more = chunks().then(Step::Data(Bytes::from_static(b" ")));
        assert_eq!(reason(&layer, post(CHAT, more)), Some(Reason::BodyTooLarge));
    }
}

#[test]
fn what_is_too_large_is_read_on_for_a_while_so_that_the_answer_is_heard() {
    let layer = CallLayer::new().max_body_bytes(10);
    // Read to its end: the connection can be used again.
    let body = Script::chunks(vec!["x".repeat(10); 9]);
    assert_eq!(reason(&layer, post(CHAT, body)), Some(Reason::BodyTooLarge));
    // Given up after eight times the limit, although the caller sends on.
    let endless = Script::chunks(vec!["x".repeat(10); 10]).then(Step::Stall);
    assert_eq!(
        reason(&layer, post(CHAT, endless)),
        Some(Reason::BodyTooLarge)
    );
    // A second request on the same layer is as welcome as ever.
    let layer = CallLayer::new().max_body_bytes(20);
    assert_eq!(
        reason(&layer, post(CHAT, Script::chunks(["x".repeat(90)]))),
        Some(Reason::BodyTooLarge)
    );
    assert_eq!(reason(&layer, post(CHAT, Script::chunks([SMALL]))), None);
}

#[test]
fn what_the_head_alone_refuses_is_read_on_for_a_while_as_well() {
    let layer = CallLayer::new().max_body_bytes(10);
    let plain = |body: Script| {
        let mut request = post(CHAT, body);
        let media = HeaderValue::from_static("text/plain");
        request.headers_mut().insert("content-type", media);
        request
    };
    let sent = Script::chunks(vec!["x".repeat(10); 8]);
    let unsent = sent.clone().then(Step::Stall);
    let endless = Script::chunks(vec!["x".repeat(10); 9]).then(Step::Stall);
    for body in [sent, endless] {
        let refused = Some(Reason::UnsupportedMediaType);
        assert_eq!(reason(&layer, plain(body)), refused);
    }
    let inner = service_fn(async |_: Request<CallBody<Script>>| {
        Ok::<_, Infallible>(Response::new(Full::<Bytes>::default()))
    });
    let mut discarding = Box::pin(layer.layer(inner).oneshot(plain(unsent)));
    let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
    assert!(discarding.as_mut().poll(&mut cx).is_pending());
}

#[test]
fn a_caller_that_waits_for_leave_is_told_at_once() {
    let layer = CallLayer::new().max_body_bytes(10);
    let mut request = post(
        CHAT,
        Script::chunks(["x".repeat(11)]).then(Step::Stall).exact(),
    );
    request
        .headers_mut()
        .insert("expect", "100-continue".parse().unwrap());
    assert!(request.body().size_hint().lower() == 11);
    assert_eq!(reason(&layer, request), Some(Reason::BodyTooLarge));
}

#[test]
fn buffers_are_bounded_over_all_calls_and_given_back_with_the_last_use() {
    let layer = CallLayer::new().max_buffered_bytes(SMALL.len() + 5);
    let first = send(&layer, post(CHAT, Script::chunks([SMALL]))).passed();
    let refused = send(&layer.clone(), post(CHAT, Script::chunks([SMALL])));
    assert_eq!(refused.refused().unwrap().reason, Reason::Overloaded);
    assert_eq!(refused.answer.status(), 503);
    let call = aigw_core::call::Call::of(first.extensions())
        .unwrap()
        .clone();
    drop(first);
    assert!(
        reason(&layer, post(CHAT, Script::chunks([SMALL]))).is_some(),
        "still in use"
    );
    drop(call);
    assert_eq!(reason(&layer, post(CHAT, Script::chunks([SMALL]))), None);
}

#[test]
fn a_body_that_is_thrown_away_holds_no_buffer() {
    let layer = CallLayer::new().max_body_bytes(30).max_buffered_bytes(30);
    let inner = service_fn(async |_: Request<CallBody<Script>>| {
        Ok::<_, Infallible>(Response::new(Full::<Bytes>::default()))
    });
    let large = Script::chunks(["x".repeat(25), "x".repeat(25)]).then(Step::Stall);
    let mut discarding = Box::pin(layer.layer(inner).oneshot(post(CHAT, large)));
    let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
    assert!(discarding.as_mut().poll(&mut cx).is_pending());
    assert_eq!(reason(&layer, post(CHAT, Script::chunks([SMALL]))), None);
}

#[test]
fn a_refused_or_dropped_call_gives_its_buffers_back() {
    let layer = CallLayer::new().max_buffered_bytes(SMALL.len());
    let whole = |layer: &CallLayer| reason(layer, post(CHAT, Script::chunks([SMALL])));
    assert_eq!(
        reason(&layer, post(CHAT, Script::chunks(["{\"model\":7}"]))),
        Some(Reason::InvalidRequest)
    );
    assert_eq!(whole(&layer), None);
    let steps = || {
        let data = SMALL
            .as_bytes()
            .chunks(4)
            .map(|chunk| Step::Data(Bytes::copy_from_slice(chunk)));
        Script::new(data.flat_map(|data| [Step::Wait, data]))
    };
    let mut polls = 0;
    loop {
        let waiting = service_fn(|_: Request<CallBody<Script>>| {
            std::future::pending::<Result<Response<Full<Bytes>>, Infallible>>()
        });
        let mut call = Box::pin(layer.layer(waiting).oneshot(post(CHAT, steps())));
        let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
        for _ in 0..polls {
            assert!(matches!(call.as_mut().poll(&mut cx), Poll::Pending));
        }
        drop(call);
        assert_eq!(whole(&layer), None, "dropped after {polls} polls");
        polls += 1;
        if polls > 10 {
            break;
        }
    }
}

#[cfg(feature = "tokio")]
mod time {
    use std::time::Duration;

    use aigw_core::{
        call::CallService,
        reject::{self, Refused},
        rt::Tokio,
    };
    use tokio::time::Instant;

    use super::*;

    type Inner<F> = CallService<tower::util::ServiceFn<F>, Tokio>;

    async fn timed(body: Script) -> (Response<reject::Body<Full<Bytes>>>, Duration) {
        let inner = service_fn(async |_: Request<CallBody<Script>>| {
            tokio::time::sleep(Duration::from_secs(3600)).await;
            Ok::<_, Infallible>(Response::new(Full::default()))
        });
        let layer = CallLayer::new().body_timeout(Duration::from_secs(30), Tokio);
        let service: Inner<_> = layer.layer(inner);
        let start = Instant::now();
        let answer = service.oneshot(post(CHAT, body)).await.unwrap();
        (answer, start.elapsed())
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_does_not_arrive_is_a_408_in_time() {
        for steps in [
            vec![Step::Stall],
            vec![Step::Data(Bytes::from_static(b"{")), Step::Stall],
        ] {
            let (answer, took) = timed(Script::new(steps)).await;
            assert_eq!(answer.status(), 408);
            assert_eq!(
                Refused::of(answer.extensions()).unwrap().reason,
                Reason::RequestTimeout
            );
            assert!((30_000..30_010).contains(&took.as_millis()), "{took:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_time_of_the_answer_is_not_the_bodys() {
        let (answer, took) = timed(Script::chunks([SMALL])).await;
        assert_eq!((answer.status().as_u16(), took.as_secs()), (200, 3600));
    }
}
