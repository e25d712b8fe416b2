//! `stream_options.include_usage`: asked, refused, remembered.

use std::{
    convert::Infallible,
    sync::{Arc, Mutex},
    task::Poll,
};

use aigw_core::{
    call::CallLayer,
    meter::{Ending, IncludeUsage, MeterLayer, Metered},
};
use bytes::Bytes;
use http::{Request, Response, StatusCode, header::CONTENT_LENGTH};
use http_body_util::{BodyExt, Full};
use tower::{Layer, Service, ServiceExt, service_fn};

use crate::{
    answer::{ASKED, CHAT, SSE, STREAM, ok},
    support::{Script, Step, drain, run, trailers},
};

const EVENTS: &str = "data: {\"choices\":[{\"delta\":{\"content\":\"a\"},\"finish_reason\":\"stop\"}]}\n\n\
    data: {\"choices\":[],\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":1}}\n\ndata: [DONE]\n\n";
const REFUSAL: &str =
    r#"{"error":{"message":"Unrecognized request argument supplied: stream_options"}}"#;

/// The bodies that a provider was sent.
#[derive(Clone, Default)]
struct Sent(Arc<Mutex<Vec<String>>>);

impl Sent {
    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

fn refusal(status: u16, body: Script) -> Response<Script> {
    let mut response = ok("application/json", body);
    *response.status_mut() = StatusCode::from_u16(status).unwrap();
    response
}

/// A provider that gives `refused` to whoever asks for usage, and a stream to the others.
fn provider(
    sent: &Sent,
    refused: Response<Script>,
) -> impl Service<
    Request<aigw_core::call::CallBody<Full<Bytes>>>,
    Response = Response<Script>,
    Error = Infallible,
    Future: Future,
> + Clone {
    let sent = sent.clone();
    service_fn(
        move |request: Request<aigw_core::call::CallBody<Full<Bytes>>>| {
            let (sent, refused) = (sent.clone(), refused.clone());
            async move {
                assert_eq!(request.headers()["x-kept"], "yes");
                let body = request.into_body().collect().await.unwrap().to_bytes();
                let body = String::from_utf8(body.to_vec()).unwrap();
                let asks = body.contains("include_usage");
                sent.0.lock().unwrap().push(body);
                Ok(if asks {
                    refused
                } else {
                    ok(SSE, Script::chunks([EVENTS]))
                })
            }
        },
    )
}

fn request(uri: &str, body: &str) -> Request<Full<Bytes>> {
    Request::post(uri)
        .header("x-kept", "yes")
        .body(Full::new(Bytes::copy_from_slice(body.as_bytes())))
        .unwrap()
}

#[test]
fn streams_that_state_usage_only_when_asked_are_asked() {
    let sent = Sent::default();
    let service = CallLayer::new()
        .layer(MeterLayer::new().layer(provider(&sent, ok(SSE, Script::chunks([EVENTS])))));
    let never = MeterLayer::new().include_usage(IncludeUsage::Never);
    let never = CallLayer::new().layer(never.layer(provider(&sent, refusal(400, Script::new([])))));
    let asks = |uri: &str, body: &str| {
        run(service.clone().oneshot(request(uri, body))).unwrap();
        let sent = sent.take();
        assert_eq!(sent.len(), 1);
        sent[0] != body && sent[0].contains(r#""include_usage":true"#)
    };
    assert!(asks(CHAT, STREAM));
    assert!(asks("/v1/completions", STREAM));
    assert!(asks("/openai/deployments/d/chat/completions", STREAM));
    assert!(asks("/models/chat/completions?api-version=1", STREAM));
    assert!(asks(
        CHAT,
        &STREAM.replace("[]", r#"[],"stream_options":null"#)
    ));
    assert!(asks(
        CHAT,
        &ASKED.replace("_usage\":true", "_usage\":false")
    ));
    assert!(!asks(CHAT, ASKED));
    assert!(!asks(CHAT, r#"{"model":"m"}"#));
    assert!(!asks(CHAT, r#"{"model":"m","stream":false}"#));
    assert!(!asks("/v1/responses", STREAM));
    assert!(!asks("/v1/messages", STREAM));
    assert!(!asks("/v1beta/models/g:streamGenerateContent", "{}"));
    // What the provider will refuse is its to refuse, as the caller wrote it.
    assert!(!asks(
        CHAT,
        &STREAM.replace("[]", r#"[],"stream_options":7"#)
    ));
    assert!(!asks(CHAT, &ASKED.replace(":true}}", r#":"yes"}}"#)));
    run(never.oneshot(request(CHAT, STREAM))).unwrap();
    assert_eq!(sent.take(), [STREAM]);
}

/// A transport believes the head: over HTTP/1.1 the provider got a document without its end.
#[test]
fn the_length_that_the_caller_announced_is_not_that_of_the_question() {
    let service = CallLayer::new().layer(MeterLayer::new().layer(service_fn(
        async |request: Request<aigw_core::call::CallBody<Full<Bytes>>>| {
            let announced = request.headers().contains_key(CONTENT_LENGTH);
            Ok::<_, Infallible>(ok("text/plain", Script::chunks([&announced.to_string()])))
        },
    )));
    let announces = |body: &str| {
        let mut request = request(CHAT, body);
        let length = request.headers_mut().entry(CONTENT_LENGTH);
        length.or_insert(body.len().into());
        drain(run(service.clone().oneshot(request)).unwrap().body_mut()).text()
    };
    assert_eq!(announces(STREAM), "false");
    assert_eq!(announces(ASKED), "true");
}

#[test]
fn a_refused_question_is_taken_back_once_and_not_asked_again() {
    for status in [400, 422] {
        let sent = Sent::default();
        let body = Script::chunks([&REFUSAL[..30], &REFUSAL[30..]]);
        let meter = MeterLayer::new().layer(provider(&sent, refusal(status, body)));
        let service = CallLayer::new().layer(meter);
        let mut answer = run(service.clone().oneshot(request(CHAT, STREAM))).unwrap();
        assert_eq!(answer.status(), 200);
        assert_eq!(drain(answer.body_mut()).text(), EVENTS);
        assert_eq!(answer.body().ending(), Ending::Complete);
        let first = sent.take();
        assert_eq!(first.len(), 2);
        assert_eq!(first[1], STREAM);
        // Remembered for the model, and for it alone.
        run(service.clone().oneshot(request(CHAT, STREAM))).unwrap();
        assert_eq!(sent.take(), [STREAM]);
        let other = STREAM.replace("\"m\"", "\"n\"");
        run(service.oneshot(request(CHAT, &other))).unwrap();
        assert_eq!(sent.take().len(), 2);
    }
}

#[test]
fn another_refusal_passes_as_it_is() {
    let bad = r#"{"error":{"message":"messages is empty"}}"#;
    let cases = [
        (400, Script::chunks([bad])),
        (400, Script::chunks(bad.as_bytes().chunks(1)).exact()),
        (422, Script::chunks([bad]).then(Step::Trailers(trailers()))),
        (400, Script::chunks([bad]).then(Step::Fail("reset"))),
        (400, Script::new([Step::Wait, Step::Wait])),
        (
            400,
            Script::chunks(["x".repeat(10_000), "y".repeat(10_000), bad.to_owned()]),
        ),
        // Not for a question: other statuses.
        (404, Script::chunks([REFUSAL])),
        (500, Script::chunks([REFUSAL])),
    ];
    for (status, body) in cases {
        let expected = drain(&mut body.clone());
        let sent = Sent::default();
        let meter = MeterLayer::new().layer(provider(&sent, refusal(status, body)));
        let mut answer = run(CallLayer::new().layer(meter).oneshot(request(CHAT, STREAM))).unwrap();
        assert_eq!(answer.status().as_u16(), status);
        let read = drain(answer.body_mut());
        assert_eq!(
            (read.bytes(), &read.trailers, &read.error),
            (expected.bytes(), &expected.trailers, &expected.error)
        );
        assert_eq!(sent.take().len(), 1);
    }
}

#[test]
fn a_refusal_to_a_caller_that_asked_itself_passes() {
    let sent = Sent::default();
    let meter = MeterLayer::new().layer(provider(&sent, refusal(400, Script::chunks([REFUSAL]))));
    let mut answer = run(CallLayer::new().layer(meter).oneshot(request(CHAT, ASKED))).unwrap();
    assert_eq!(drain(answer.body_mut()).text(), REFUSAL);
    assert_eq!(sent.take(), [ASKED]);
}

#[test]
fn a_second_refusal_passes() {
    let sent = Sent::default();
    let seen = sent.clone();
    let provider = service_fn(
        move |request: Request<aigw_core::call::CallBody<Full<Bytes>>>| {
            let seen = seen.clone();
            async move {
                let body = request.into_body().collect().await.unwrap().to_bytes();
                seen.0
                    .lock()
                    .unwrap()
                    .push(String::from_utf8(body.to_vec()).unwrap());
                Ok::<_, Infallible>(refusal(400, Script::chunks([REFUSAL])))
            }
        },
    );
    let service = CallLayer::new().layer(MeterLayer::new().layer(provider));
    let mut answer = run(service.oneshot(request(CHAT, STREAM))).unwrap();
    assert_eq!(answer.status(), 400);
    assert_eq!(drain(answer.body_mut()).text(), REFUSAL);
    assert_eq!(sent.take().len(), 2);
}

#[test]
fn a_refusal_of_what_the_caller_sent_stops_the_question_for_nobody() {
    let sent = Sent::default();
    let seen = sent.clone();
    let provider = service_fn(
        move |request: Request<aigw_core::call::CallBody<Full<Bytes>>>| {
            let seen = seen.clone();
            async move {
                let body = request.into_body().collect().await.unwrap().to_bytes();
                let body = String::from_utf8(body.to_vec()).unwrap();
                let bad = body.contains("stream_options_x");
                seen.0.lock().unwrap().push(body);
                Ok::<_, Infallible>(if bad {
                    refusal(
                        400,
                        Script::chunks([REFUSAL.replace("options", "options_x")]),
                    )
                } else {
                    ok(SSE, Script::chunks([EVENTS]))
                })
            }
        },
    );
    let service = CallLayer::new().layer(MeterLayer::new().layer(provider));
    let bad = STREAM.replace("[]", r#"[],"stream_options_x":1"#);
    let answer = run(service.clone().oneshot(request(CHAT, &bad))).unwrap();
    assert_eq!((answer.status().as_u16(), sent.take().len()), (400, 2));
    run(service.oneshot(request(CHAT, STREAM))).unwrap();
    assert!(sent.take().remove(0).contains("include_usage"));
}

#[test]
fn two_meters_in_one_stack_ask_once() {
    let sent = Sent::default();
    let inner = MeterLayer::new().layer(provider(&sent, ok(SSE, Script::chunks([EVENTS]))));
    let inner = tower::util::MapResponse::new(inner, |response: Response<_>| response);
    let service = CallLayer::new().layer(MeterLayer::new().layer(inner));
    let mut answer = run(service.oneshot(request(CHAT, STREAM))).unwrap();
    let body = sent.take().remove(0);
    assert_eq!(body.matches("stream_options").count(), 1, "{body}");
    assert!(!drain(answer.body_mut()).text().contains("usage"));
}

/// A service that is ready at its second poll, and wants to have been.
#[derive(Clone)]
struct Slow {
    polls: u8,
    sent: Sent,
}

impl Service<Request<aigw_core::call::CallBody<Full<Bytes>>>> for Slow {
    type Response = Response<Script>;
    type Error = &'static str;
    type Future = std::future::Ready<Result<Response<Script>, &'static str>>;

    fn poll_ready(&mut self, _: &mut std::task::Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.polls = (self.polls + 1).min(2);
        if self.polls == 2 {
            Poll::Ready(Ok(()))
        } else {
            Poll::Pending
        }
    }

    fn call(&mut self, _: Request<aigw_core::call::CallBody<Full<Bytes>>>) -> Self::Future {
        assert_eq!(self.polls, 2, "called without being ready");
        self.polls = 0;
        let mut sent = self.sent.0.lock().unwrap();
        sent.push(String::new());
        let first = sent.len() == 1;
        std::future::ready(Ok(if first {
            refusal(400, Script::chunks([REFUSAL]))
        } else {
            ok(SSE, Script::chunks([EVENTS]))
        }))
    }
}

#[test]
fn the_second_try_waits_until_the_service_is_ready() {
    let sent = Sent::default();
    let slow = Slow {
        polls: 0,
        sent: sent.clone(),
    };
    let service = CallLayer::new().layer(MeterLayer::new().layer(slow));
    let answer = run(service.oneshot(request(CHAT, STREAM))).unwrap();
    assert_eq!((answer.status().as_u16(), sent.take().len()), (200, 2));
}
