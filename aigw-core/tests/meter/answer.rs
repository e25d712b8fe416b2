//! One call through `CallLayer` and `MeterLayer` to a provider that answers as told.

use aigw_core::{
    call::CallLayer,
    meter::{Ending, HideUsage, IncludeUsage, Meter, MeterBody, MeterLayer, Metered},
    reject,
};
use bytes::Bytes;
use http::{Request, Response, header::CONTENT_TYPE};
use http_body_util::Full;
use tower::{Layer, ServiceExt, service_fn};

use crate::support::{Read, Script, drain, run};

pub(crate) type Answer = Response<reject::Body<HideUsage<MeterBody<Script>>>>;

pub(crate) const CHAT: &str = "/v1/chat/completions";
pub(crate) const STREAM: &str = r#"{"model":"m","messages":[],"stream":true}"#;
pub(crate) const ASKED: &str =
    r#"{"model":"m","messages":[],"stream":true,"stream_options":{"include_usage":true}}"#;
pub(crate) const SSE: &str = "text/event-stream; charset=utf-8";
pub(crate) const JSON: &str = "application/json";

/// The answer to a call, of which nothing has been read yet.
pub(crate) fn answer(
    uri: &str,
    request: &str,
    include_usage: IncludeUsage,
    response: Response<Script>,
) -> Answer {
    let provider = service_fn(|_| {
        let response = response.clone();
        async { Ok::<_, std::convert::Infallible>(response) }
    });
    let meter = MeterLayer::new().include_usage(include_usage);
    let service = CallLayer::new().layer(meter.layer(provider));
    let request = Request::post(uri)
        .body(Full::new(Bytes::copy_from_slice(request.as_bytes())))
        .unwrap();
    run(service.oneshot(request)).unwrap()
}

/// A successful response of some media type.
pub(crate) fn ok(media: &str, body: Script) -> Response<Script> {
    Response::builder()
        .header(CONTENT_TYPE, media)
        .body(body)
        .unwrap()
}

/// Everything that came through, with the meter and the ending that it left.
pub(crate) fn read(mut answer: Answer) -> (Read, Meter, Ending) {
    let read = drain(answer.body_mut());
    let body = answer.body();
    (read, body.meter().clone(), body.ending())
}

/// The meter of a chat stream that asked for its usage itself.
pub(crate) fn chat(body: Script) -> (Read, Meter, Ending) {
    read(answer(CHAT, ASKED, IncludeUsage::Auto, ok(SSE, body)))
}
