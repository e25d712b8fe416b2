//! What a call and each chunk of its answer allocate.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "tests")]

#[path = "support/mod.rs"]
#[allow(dead_code, reason = "shared by several tests")]
mod support;

use std::convert::Infallible;

use aigw_core::{
    call::{CallBody, CallLayer, HasCall},
    dialect::{Operation, Target},
    meter::{IncludeUsage, MeterLayer, Metered},
};
use allocation_counter::measure;
use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, Uri, header::CONTENT_TYPE};
use http_body_util::Full;
use tower::{Layer, Service, ServiceExt, service_fn};

use support::{Script, poll_body, run};

/// The most that a call may allocate in `CallLayer`, its futures not counted: the record, the
/// call with its model and parts, and the extensions.
const CALL_CEILING: u64 = 16;

fn provider(
    body: Script,
) -> impl Service<
    Request<CallBody<Full<Bytes>>>,
    Response = Response<Script>,
    Error = Infallible,
    Future: Future,
> + Clone {
    service_fn(move |_| {
        let response = Response::builder().header(CONTENT_TYPE, "text/event-stream");
        std::future::ready(Ok(response.body(body.clone()).unwrap()))
    })
}

fn request(uri: &str, body: &'static str) -> Request<Full<Bytes>> {
    Request::post(uri)
        .body(Full::new(Bytes::from_static(body.as_bytes())))
        .unwrap()
}

/// The most that the future of a call may take. A server keeps the room of it, or of the answer's
/// body if that is larger, for as long as the answer streams.
const FUTURE_CEILING: usize = 640;

/// The most that the body of an answer may take, the provider's not counted.
const BODY_CEILING: usize = 416;

#[test]
fn a_call_and_its_answer_take_little_room() {
    let provider = provider(Script::new([]));
    let mut service = CallLayer::new().layer(MeterLayer::new().layer(provider));
    let call = service.call(request("/v1/chat/completions", "{}"));
    let future = size_of_val(&call);
    let answer = run(call).unwrap();
    let body = size_of_val(answer.body()) - size_of::<Script>();
    println!("future {future} bytes, body {body} bytes");
    assert!(future <= FUTURE_CEILING, "{future}");
    assert!(body <= BODY_CEILING, "{body}");
}

#[test]
fn no_chunk_after_the_first_allocates() {
    let streams: [(&str, &str, &[u8]); 5] = [
        (
            "/v1/chat/completions",
            r#"{"model":"m","stream":true}"#,
            include_bytes!("meter/answers/openai-chat-stream-usage.sse"),
        ),
        (
            "/v1/chat/completions",
            r#"{"model":"m","stream":true}"#,
            include_bytes!("meter/answers/openai-chat-stream-tools.sse"),
        ),
        (
            "/v1/responses",
            r#"{"model":"m","stream":true}"#,
            include_bytes!("meter/answers/openai-responses-stream.sse"),
        ),
        (
            "/v1/messages",
            r#"{"model":"m","stream":true}"#,
            include_bytes!("meter/answers/anthropic-stream-cache.sse"),
        ),
        (
            "/v1beta/models/g:streamGenerateContent?alt=sse",
            "{}",
            include_bytes!("meter/answers/gemini-stream.sse"),
        ),
    ];
    for (uri, asked, bytes) in streams {
        for size in [1, 17, 100, 1000] {
            let body = Script::chunks(bytes.chunks(size));
            let meter = MeterLayer::new().include_usage(IncludeUsage::Never);
            let service = CallLayer::new().layer(meter.layer(provider(body)));
            let mut answer = run(service.oneshot(request(uri, asked))).unwrap();
            let body = answer.body_mut();
            // The first chunks name the model, which is kept.
            while body.meter().model().is_none() {
                assert!(poll_body(body).is_ready());
            }
            // The finish reason of no vendor's own word is kept without one.
            let counted =
                measure(|| while !matches!(poll_body(body), std::task::Poll::Ready(None)) {});
            assert_eq!(counted.count_total, 0, "{uri} in chunks of {size}");
            assert!(body.meter().usage().total() > Some(0));
        }
    }
}

#[test]
fn recognizing_a_path_that_names_no_model_allocates_nothing() {
    let headers = HeaderMap::new();
    for path in ["/v1/chat/completions", "/openai/v1/%63hat/completions"] {
        let uri = Uri::from_static(path);
        let counted = measure(|| {
            let target = Target::recognize(&Method::POST, &uri, &headers);
            assert_eq!(target.operation(), Operation::Chat);
        });
        assert_eq!(counted.count_total, 0, "{path}");
    }
}

#[test]
fn a_call_allocates_little_and_but_a_list_of_long_strings_for_a_longer_body() {
    let short = r#"{"model":"m","stream":true,"messages":[{"role":"user","content":"hello"}]}"#;
    let long = format!(
        r#"{{"model":"m","stream":true,"messages":[{{"role":"user","content":"{}"}}]}}"#,
        "x".repeat(1 << 20)
    );
    let count = |body: Bytes| {
        let inner = service_fn(|request: Request<CallBody<Full<Bytes>>>| {
            assert_eq!(request.body().model(), Some("m"));
            std::future::ready(Ok::<_, Infallible>(Response::new(Full::<Bytes>::default())))
        });
        let mut service = CallLayer::new().layer(inner);
        let mut count = || {
            let body = Full::new(body.clone());
            let request = Request::post("/v1/chat/completions").body(body).unwrap();
            measure(|| drop(run(service.call(request)).unwrap())).count_total
        };
        // The first call makes the shapes, once for the process.
        count();
        count()
    };
    let (short, long) = (
        count(Bytes::from_static(short.as_bytes())),
        count(long.into()),
    );
    println!("{short} allocations for each call");
    assert_eq!(short + 1, long);
    assert!(short <= CALL_CEILING, "{short}");
}
