use std::{pin::Pin, time::Duration};

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Response, StatusCode};
use http_body::{Body as _, Frame, SizeHint};
use http_body_util::BodyExt;
use serde_json::{Value, json};

use super::*;
use crate::{
    dialect::{Dialect, Operation},
    meter::{Ending, Meter, Metered, Origin},
    outcome::{Fault, FaultKind},
};

const FAULT: Fault = Fault::dispatched(FaultKind::Reset);
const TIMEOUT: Fault = Fault::dispatched(FaultKind::HeadersTimeout);

const EVERY_REASON: [(Reason, u16, &str, bool); 24] = [
    (Reason::InvalidApiKey, 401, "invalid_api_key", true),
    (Reason::Forbidden, 403, "forbidden", true),
    (Reason::BodyTooLarge, 413, "request_too_large", true),
    (Reason::InvalidJson, 400, "invalid_json", true),
    (Reason::InvalidRequest, 400, "invalid_request", true),
    (
        Reason::MissingModel,
        400,
        "missing_required_parameter",
        true,
    ),
    (
        Reason::UnsupportedMediaType,
        415,
        "unsupported_media_type",
        true,
    ),
    (
        Reason::UnsupportedEncoding,
        415,
        "unsupported_encoding",
        true,
    ),
    (Reason::RequestTimeout, 408, "request_timeout", false),
    (Reason::Overloaded, 503, "overloaded", false),
    (Reason::UnknownModel, 404, "model_not_found", true),
    (
        Reason::OperationNotSupported,
        400,
        "operation_not_supported",
        true,
    ),
    (Reason::MethodNotAllowed, 405, "method_not_allowed", true),
    (
        Reason::UpgradeNotSupported,
        501,
        "upgrade_not_supported",
        true,
    ),
    (Reason::RateLimit, 429, "rate_limit_exceeded", false),
    (Reason::Quota, 429, "insufficient_quota", true),
    (Reason::NeverFits, 400, "request_exceeds_limit", true),
    (Reason::ContentFilter, 400, "content_filter", true),
    (Reason::Throttled, 429, "rate_limit_exceeded", false),
    (Reason::Unavailable, 503, "service_unavailable", false),
    (
        Reason::Configured(StatusCode::FORBIDDEN),
        403,
        "configured",
        true,
    ),
    (
        Reason::Configured(StatusCode::SERVICE_UNAVAILABLE),
        503,
        "configured",
        false,
    ),
    (Reason::Upstream(FAULT), 502, "upstream_error", false),
    (Reason::Upstream(TIMEOUT), 504, "upstream_timeout", false),
];

fn respond(refusal: Refusal, dialect: Dialect) -> Response<Bytes> {
    refusal.into_response(dialect, &DialectJson)
}

fn json_of(response: &Response<Bytes>) -> Value {
    serde_json::from_slice(response.body()).unwrap()
}

#[test]
fn every_reason_has_its_status_its_code_and_its_word_on_retrying() {
    for (reason, status, code, is_final) in EVERY_REASON {
        let response = respond(Refusal::new(reason, "no"), Dialect::OpenAi);
        assert_eq!(response.status(), status, "{reason}");
        assert_eq!(json_of(&response)["error"]["code"], code, "{reason}");
        let word = response.headers().get("x-should-retry");
        assert_eq!(
            word.is_some_and(|word| word == "false"),
            is_final,
            "{reason}"
        );
        assert_eq!(response.headers().get("retry-after"), None, "{reason}");
    }
}

#[test]
fn every_reason_is_json_with_its_length_and_its_message_in_every_dialect() {
    for &dialect in Dialect::ALL {
        for (reason, ..) in EVERY_REASON {
            let message = "a \"quoted\"\nline \u{2028} — ü";
            let response = respond(Refusal::new(reason, message), dialect);
            assert_eq!(response.headers()["content-type"], "application/json");
            let length = response.body().len().to_string();
            assert_eq!(response.headers()["content-length"], length.as_str());
            assert_eq!(
                json_of(&response)["error"]["message"],
                message,
                "{dialect} {reason}"
            );
        }
    }
}

#[test]
fn documents_have_the_shape_of_their_vendor() {
    let missing = || Refusal::new(Reason::UnknownModel, "no such model");
    let cases = [
        (
            Dialect::OpenAi,
            json!({"error": {"message": "no such model", "type": "invalid_request_error",
                "param": "model", "code": "model_not_found"}}),
        ),
        (
            Dialect::AzureOpenAi,
            json!({"error": {"code": "model_not_found", "message": "no such model",
                "param": "model"}}),
        ),
        (
            Dialect::AzureAi,
            json!({"error": {"code": "model_not_found", "message": "no such model",
                "param": "model"}}),
        ),
        (
            Dialect::Anthropic,
            json!({"type": "error",
                "error": {"type": "not_found_error", "message": "no such model"}}),
        ),
        (
            Dialect::Gemini,
            json!({"error": {"code": 404, "message": "no such model", "status": "NOT_FOUND"}}),
        ),
    ];
    for (dialect, document) in cases {
        assert_eq!(json_of(&respond(missing(), dialect)), document, "{dialect}");
    }
}

#[test]
fn the_vendor_word_follows_reason_and_status() {
    // reason, OpenAI's type, Anthropic's type, Google's status
    let cases = [
        (
            Reason::InvalidApiKey,
            "invalid_request_error",
            "authentication_error",
            "UNAUTHENTICATED",
        ),
        (
            Reason::Forbidden,
            "invalid_request_error",
            "permission_error",
            "PERMISSION_DENIED",
        ),
        (
            Reason::BodyTooLarge,
            "invalid_request_error",
            "request_too_large",
            "INVALID_ARGUMENT",
        ),
        (
            Reason::InvalidJson,
            "invalid_request_error",
            "invalid_request_error",
            "INVALID_ARGUMENT",
        ),
        (
            Reason::RequestTimeout,
            "invalid_request_error",
            "timeout_error",
            "DEADLINE_EXCEEDED",
        ),
        (
            Reason::Overloaded,
            "server_error",
            "overloaded_error",
            "UNAVAILABLE",
        ),
        (
            Reason::UpgradeNotSupported,
            "server_error",
            "api_error",
            "UNIMPLEMENTED",
        ),
        (
            Reason::RateLimit,
            "rate_limit_error",
            "rate_limit_error",
            "RESOURCE_EXHAUSTED",
        ),
        (
            Reason::Quota,
            "insufficient_quota",
            "rate_limit_error",
            "RESOURCE_EXHAUSTED",
        ),
        (
            Reason::Upstream(FAULT),
            "server_error",
            "api_error",
            "UNAVAILABLE",
        ),
        (
            Reason::Upstream(TIMEOUT),
            "server_error",
            "timeout_error",
            "DEADLINE_EXCEEDED",
        ),
    ];
    for (reason, openai, anthropic, google) in cases {
        let word = |dialect, member: &str| {
            json_of(&respond(Refusal::new(reason, "no"), dialect))["error"][member].clone()
        };
        assert_eq!(word(Dialect::OpenAi, "type"), openai, "{reason}");
        assert_eq!(word(Dialect::Anthropic, "type"), anthropic, "{reason}");
        assert_eq!(word(Dialect::Gemini, "status"), google, "{reason}");
    }
}

#[test]
fn azure_spells_an_unsupported_operation_its_own_way_unless_overridden() {
    let refusal = Refusal::new(Reason::OperationNotSupported, "no images here");
    assert_eq!(refusal.code_in(Dialect::OpenAi), "operation_not_supported");
    assert_eq!(
        refusal.code_in(Dialect::AzureOpenAi),
        "OperationNotSupported"
    );
    assert_eq!(refusal.code_in(Dialect::AzureAi), "OperationNotSupported");
    assert_eq!(refusal.code("nope").code_in(Dialect::AzureOpenAi), "nope");
}

#[test]
fn azure_states_the_inner_code_of_refused_content() {
    let refusal = Refusal::new(Reason::ContentFilter, "no");
    let document = json_of(&respond(refusal, Dialect::AzureOpenAi));
    assert_eq!(
        document["error"]["innererror"]["code"],
        "ResponsibleAIPolicyViolation"
    );
    assert_eq!(document["error"]["status"], 400);
}

#[test]
fn waits_are_rounded_up_and_never_below_what_was_stated() {
    let cases = [
        (Duration::ZERO, "0", "0"),
        (Duration::from_nanos(1), "1", "1"),
        (Duration::from_millis(1000), "1", "1000"),
        (Duration::from_micros(1_000_001), "2", "1001"),
        (Duration::from_millis(59_999), "60", "59999"),
        (Duration::MAX, "18446744073709552", "18446744073709551615"),
    ];
    for (wait, seconds, ms) in cases {
        let refusal = Refusal::new(Reason::RateLimit, "wait").retry_after(wait);
        let response = respond(refusal, Dialect::OpenAi);
        assert_eq!(response.headers()["retry-after"], seconds, "{wait:?}");
        assert_eq!(response.headers()["retry-after-ms"], ms, "{wait:?}");
    }
}

#[test]
fn gemini_states_the_wait_in_the_body_too() {
    let refusal = Refusal::new(Reason::RateLimit, "wait").retry_after(Duration::from_millis(1500));
    let document = json_of(&respond(refusal, Dialect::Gemini));
    assert_eq!(document["error"]["details"][0]["retryDelay"], "1.5s");
}

#[test]
fn everything_can_be_overridden() {
    let refusal = Refusal::new(Reason::Quota, "spent")
        .status(StatusCode::FORBIDDEN)
        .code("quota_spent")
        .kind("tokens")
        .param("max_tokens")
        .should_retry(true)
        .header(
            HeaderName::from_static("x-budget"),
            HeaderValue::from_static("gold"),
        );
    let response = respond(refusal, Dialect::OpenAi);
    assert_eq!(response.status(), 403);
    assert_eq!(response.headers()["x-should-retry"], "true");
    assert_eq!(response.headers()["x-budget"], "gold");
    assert_eq!(
        json_of(&response)["error"],
        json!({"message": "spent", "type": "tokens", "param": "max_tokens", "code": "quota_spent"})
    );
}

#[test]
fn a_401_carries_a_challenge() {
    let response = respond(Refusal::new(Reason::InvalidApiKey, "who?"), Dialect::OpenAi);
    assert_eq!(response.headers()["www-authenticate"], "Bearer");
}

#[test]
fn a_fault_speaks_for_itself_and_stays_in_the_extensions() {
    let response = respond(TIMEOUT.into(), Dialect::OpenAi);
    assert_eq!(response.status(), 504);
    assert_eq!(json_of(&response)["error"]["message"], TIMEOUT.to_string());
    assert_eq!(response.extensions().get(), Some(&TIMEOUT));
}

#[test]
fn the_typed_reason_survives_a_maker_that_forgets_it() {
    let make = |_: Dialect, _: &Refusal| Response::new(Bytes::from_static(b"no"));
    let refusal = Refusal::new(Reason::NeverFits, "too long");
    let response = refusal.into_response(Dialect::OpenAi, &make);
    let refused = Refused::of(response.extensions()).unwrap();
    assert_eq!(refused.reason, Reason::NeverFits);
    assert_eq!(response.extensions().get::<Fault>(), None);
}

#[test]
fn an_error_in_a_stream_has_the_frame_of_its_dialect() {
    let refusal = Refusal::new(Reason::ContentFilter, "cut\n\nhere").param("messages");
    let cases = [
        (Dialect::OpenAi, Operation::Chat, "data: {\"error\":{"),
        (Dialect::AzureOpenAi, Operation::Chat, "data: {\"error\":{"),
        (Dialect::AzureAi, Operation::Chat, "data: {\"error\":{"),
        (
            Dialect::OpenAi,
            Operation::Responses,
            "event: error\ndata: {",
        ),
        (
            Dialect::AzureOpenAi,
            Operation::Responses,
            "event: error\ndata: {",
        ),
        (Dialect::Anthropic, Operation::Chat, "event: error\ndata: {"),
        (Dialect::Gemini, Operation::Chat, "data: {\"error\":{"),
    ];
    for (dialect, operation, start) in cases {
        let event = in_band(dialect, operation, &refusal);
        let event = std::str::from_utf8(&event).unwrap();
        assert!(event.starts_with(start), "{dialect} {operation}: {event}");
        let data = event
            .split_once("data: ")
            .unwrap()
            .1
            .strip_suffix("\n\n")
            .unwrap();
        assert!(!data.contains('\n'), "one data line: {event}");
        let data: Value = serde_json::from_str(data).unwrap();
        assert_eq!(data["error"]["message"], "cut\n\nhere");
        if event.starts_with("event:") {
            assert_eq!(data["type"], "error");
        }
        if operation == Operation::Responses {
            assert_eq!(data["code"], "content_filter");
            assert_eq!(data["message"], "cut\n\nhere");
            assert_eq!(data["param"], "messages");
            assert_eq!(data["sequence_number"], 0);
        }
    }
}

#[tokio::test]
async fn a_refused_body_tells_its_length_and_its_end() {
    let mut body = Body::<Probe>::refused(Bytes::from_static(b"no"));
    assert!(!body.is_end_stream());
    assert_eq!(body.size_hint().exact(), Some(2));
    assert_eq!(
        (body.meter().origin(), body.ending()),
        (Origin::None, Ending::Complete)
    );
    let frame = body.frame().await.unwrap().unwrap();
    assert_eq!(frame.into_data().unwrap(), "no");
    assert!(body.is_end_stream());
    assert_eq!(body.size_hint().exact(), Some(0));
    assert!(body.frame().await.is_none());
    assert!(body.frame().await.is_none());
    assert_eq!(
        (body.meter().origin(), body.ending()),
        (Origin::None, Ending::Complete)
    );
    assert!(Body::<Probe>::refused(Bytes::new()).is_end_stream());
}

#[test]
fn a_body_that_answers_for_a_fault_ends_with_it() {
    let response = Refusal::from(FAULT).into_response(Dialect::OpenAi, &DialectJson);
    let answer: Response<Body<Probe>> = refused(response);
    assert_eq!(answer.body().ending(), Ending::Fault(FAULT));
}

#[tokio::test]
async fn a_passed_body_is_the_inner_one() {
    let mut body = Body::passed(Probe::default());
    assert!(!body.is_refused());
    assert_eq!(body.size_hint().lower(), 7);
    assert!(!body.is_end_stream());
    assert_eq!(
        (body.meter().origin(), body.ending()),
        (Origin::Provider, Ending::Dropped)
    );
    let trailers = body
        .frame()
        .await
        .unwrap()
        .unwrap()
        .into_trailers()
        .unwrap();
    assert_eq!(trailers["x-probe"], "1");
}

/// Answers each question of a body in a way of its own.
#[derive(Default)]
struct Probe(Meter);

impl http_body::Body for Probe {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let trailers = [(
            HeaderName::from_static("x-probe"),
            HeaderValue::from_static("1"),
        )];
        std::task::Poll::Ready(Some(Ok(Frame::trailers(trailers.into_iter().collect()))))
    }

    fn size_hint(&self) -> SizeHint {
        let mut hint = SizeHint::new();
        hint.set_lower(7);
        hint
    }
}

impl Metered for Probe {
    fn meter(&self) -> &Meter {
        &self.0
    }

    fn ending(&self) -> Ending {
        Ending::Dropped
    }
}
