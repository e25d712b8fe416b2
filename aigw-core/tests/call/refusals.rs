//! What is refused, in whose words, and with what record.

use aigw_core::{
    call::CallLayer,
    dialect::Dialect,
    reject::{Reason, Refused},
};
use http::HeaderValue;
use serde_json::Value;

use crate::{
    stack::{CHAT, Outcome, json, parse, post, send},
    support::{Script, Step, drain},
};

const MESSAGES: &str = "/v1/messages";
const GEMINI: &str = "/v1beta/models/g:generateContent";
const AZURE: &str = "/openai/deployments/d/chat/completions";

fn reason(uri: &str, body: impl AsRef<[u8]>) -> Option<Reason> {
    json(uri, body).refused().map(|refused| refused.reason)
}

/// The error document, after checks that hold for every refusal.
fn document(outcome: Outcome) -> Value {
    assert!(outcome.passed.is_none());
    let refused = outcome.refused().unwrap();
    assert_eq!(outcome.answer.status(), refused.status);
    let recorded = outcome.record.all::<Refused>();
    assert_eq!(recorded.len(), 1);
    assert_eq!(recorded[0].message, refused.message);
    let mut answer = outcome.answer;
    let length = answer.headers()["content-length"].clone();
    let body = drain(answer.body_mut()).bytes();
    assert_eq!(length, body.len().to_string());
    serde_json::from_slice(&body).unwrap()
}

#[test]
fn every_refusal_speaks_the_dialect_of_its_caller_and_is_recorded() {
    let openai = document(json(CHAT, "{"));
    assert_eq!(openai["error"]["code"], "invalid_json");
    assert!(openai["error"]["type"].is_string() && openai["error"]["param"].is_null());
    let azure = document(json(AZURE, "{"));
    assert_eq!(azure["error"]["code"], "invalid_json");
    assert!(azure["error"].get("type").is_none());
    let anthropic = document(json(MESSAGES, "{"));
    assert_eq!(anthropic["type"], "error");
    assert_eq!(anthropic["error"]["type"], "invalid_request_error");
    let gemini = document(json(GEMINI, "{"));
    assert_eq!(gemini["error"]["status"], "INVALID_ARGUMENT");
    assert_eq!(gemini["error"]["code"], 400);
}

#[test]
fn what_is_not_one_json_object_in_utf_8_is_refused() {
    let bad: [&[u8]; 16] = [
        b"",
        b" ",
        b"{",
        b"}",
        b"[]",
        b"7",
        b"null",
        b"\"x\"",
        b"{} {}",
        b"{},",
        b"{\"a\":01}",
        b"{\"a\":\"\x01\"}",
        b"{\"a\":\"\xff\"}",
        b"{'a':1}",
        b"{\"a\":1,}",
        b"\xef\xbb\xbf{}",
    ];
    for uri in [CHAT, AZURE, MESSAGES, GEMINI] {
        for body in bad {
            assert_eq!(
                reason(uri, body),
                Some(Reason::InvalidJson),
                "{}",
                body.escape_ascii()
            );
        }
    }
}

#[test]
fn nesting_is_bounded() {
    let nested = |depth: usize| {
        let inner = depth - 1;
        format!(
            "{{\"model\":\"m\",\"x\":{}{}}}",
            "[".repeat(inner),
            "]".repeat(inner)
        )
    };
    assert_eq!(reason(CHAT, nested(127)), None);
    assert_eq!(reason(CHAT, nested(128)), Some(Reason::InvalidJson));
    assert_eq!(reason(CHAT, nested(100_000)), Some(Reason::InvalidJson));
}

#[test]
fn a_deciding_key_that_stands_twice_is_refused_and_named() {
    for (uri, body, key) in [
        (CHAT, r#"{"model":"m","model":"m"}"#, "model"),
        (CHAT, r#"{"model":"m","mod\u0065l":"n"}"#, "model"),
        (
            CHAT,
            r#"{"model":"m","stream":true,"messages":[],"stream":false}"#,
            "stream",
        ),
        (
            CHAT,
            r#"{"model":"m","stream_options":{},"stream_options":{}}"#,
            "stream_options",
        ),
        (
            CHAT,
            r#"{"model":"m","stream_options":{"include_usage":true,"include_usage":false}}"#,
            "include_usage",
        ),
        (
            CHAT,
            r#"{"model":"m","messages":[],"messages":[]}"#,
            "messages",
        ),
        (
            CHAT,
            r#"{"model":"m","max_tokens":1,"max_tokens":2}"#,
            "max_tokens",
        ),
        (
            MESSAGES,
            r#"{"model":"m","metadata":{"user_id":"a","user_id":"b"}}"#,
            "user_id",
        ),
        (
            GEMINI,
            r#"{"generationConfig":{"maxOutputTokens":1,"maxOutputTokens":2}}"#,
            "maxOutputTokens",
        ),
    ] {
        let outcome = json(uri, body);
        let refused = outcome.refused().unwrap();
        assert_eq!(
            (refused.reason, refused.param.as_deref()),
            (Reason::InvalidRequest, Some(key))
        );
        assert!(document(outcome).to_string().contains(key));
    }
    // Elsewhere, and in other objects, a name may stand as often as it likes.
    for body in [
        r#"{"model":"m","x":1,"x":2,"y":{"model":1,"model":2}}"#,
        r#"{"model":"m","messages":[{"role":"a","role":"b"},{"model":1},{"model":2}]}"#,
        r#"{"Model":"n","model":"m"}"#,
    ] {
        assert_eq!(reason(CHAT, body), None, "{body}");
    }
}

#[test]
fn deciding_keys_of_a_foreign_type_are_refused() {
    for value in ["7", "null", "[]", "{}", "true", "[\"m\"]"] {
        assert_eq!(
            reason(CHAT, format!(r#"{{"model":{value}}}"#)),
            Some(Reason::InvalidRequest)
        );
    }
    for value in ["7", "\"true\"", "[]", "{}"] {
        let body = format!(r#"{{"model":"m","stream":{value}}}"#);
        assert_eq!(reason(CHAT, body), Some(Reason::InvalidRequest));
    }
    assert_eq!(reason(CHAT, r#"{"model":"m","stream":null}"#), None);
    let long = format!(r#"{{"model":"{}"}}"#, "m".repeat(300));
    assert_eq!(reason(CHAT, long), Some(Reason::InvalidRequest));
}

#[test]
fn an_operation_that_needs_a_model_is_refused_without_one() {
    for uri in [
        CHAT,
        "/v1/completions",
        "/v1/embeddings",
        "/v1/audio/speech",
        MESSAGES,
        "/v1/messages/count_tokens",
    ] {
        for body in ["{}", r#"{"model":""}"#, r#"{"x":{"model":"m"}}"#] {
            assert_eq!(
                reason(uri, body),
                Some(Reason::MissingModel),
                "{uri} {body}"
            );
        }
    }
    for uri in [
        "/v1/responses",
        "/v1/images/generations",
        "/v1/moderations",
        AZURE,
        GEMINI,
    ] {
        assert_eq!(reason(uri, "{}"), None, "{uri}");
    }
}

#[test]
fn a_model_that_is_no_unicode_is_refused_whether_one_is_needed_or_not() {
    for model in [r"\ud800", r"a\udc00b", r"\ud800\u0041"] {
        let body = format!(r#"{{"model":"{model}","input":"x"}}"#);
        assert_eq!(reason(CHAT, &body), Some(Reason::InvalidRequest));
        assert_eq!(reason("/v1/responses", &body), Some(Reason::InvalidRequest));
    }
    let call = parse(CHAT, r#"{"model":"\ud83d\ude00\u0000"}"#).unwrap();
    assert_eq!(call.model(), Some("😀\0"));
}

#[test]
fn what_the_caller_wrote_is_not_printed_in_passing() {
    let call = parse(
        CHAT,
        r#"{"model":"m","user":"hush","messages":[{"content":"hush"}]}"#,
    );
    let printed = format!("{:?}", call.unwrap());
    assert!(!printed.contains("hush"), "{printed}");
}

#[test]
fn the_head_alone_can_be_refused() {
    let with = |name: &'static str, value: &'static str| {
        let mut request = post(CHAT, Script::new([Step::Stall]));
        request.headers_mut().insert(name, value.parse().unwrap());
        let leave = HeaderValue::from_static("100-continue");
        request.headers_mut().insert("expect", leave);
        let outcome = send(&CallLayer::new(), request);
        let status = outcome.answer.status().as_u16();
        (outcome.refused().unwrap().reason, status)
    };
    assert_eq!(
        with("upgrade", "h2c, WebSocket"),
        (Reason::UpgradeNotSupported, 501)
    );
    assert_eq!(
        with("content-encoding", "gzip"),
        (Reason::UnsupportedEncoding, 415)
    );
    assert_eq!(
        with("content-type", "text/plain"),
        (Reason::UnsupportedMediaType, 415)
    );
    assert_eq!(
        with("content-type", "multipart/form-data; boundary=x"),
        (Reason::UnsupportedMediaType, 415)
    );
}

#[test]
fn every_spelling_of_json_is_accepted() {
    for media in [
        "application/json",
        "Application/JSON; charset=utf-8",
        "text/json",
        "application/vnd.api+json",
    ] {
        let mut request = post(CHAT, Script::chunks([r#"{"model":"m"}"#]));
        request
            .headers_mut()
            .insert("content-type", media.parse().unwrap());
        request
            .headers_mut()
            .insert("content-encoding", "Identity".parse().unwrap());
        send(&CallLayer::new(), request).passed();
    }
}

#[test]
fn an_upgrade_is_refused_on_every_path() {
    let mut request = post("/v1/realtime", Script::new([]).exact());
    request
        .headers_mut()
        .insert("upgrade", "websocket".parse().unwrap());
    let outcome = send(&CallLayer::new(), request);
    assert_eq!(
        outcome.refused().unwrap().reason,
        Reason::UpgradeNotSupported
    );
}

#[test]
fn a_body_that_breaks_off_is_refused() {
    let body = Script::chunks([r#"{"model":"m"}"#]).then(Step::Fail("reset"));
    let outcome = send(&CallLayer::new(), post(CHAT, body));
    assert_eq!(outcome.refused().unwrap().reason, Reason::InvalidRequest);
    assert_eq!(document(outcome)["error"]["code"], "invalid_request");
}

#[test]
fn every_dialect_has_a_shape_of_its_own() {
    let shapes: Vec<_> = [CHAT, AZURE, MESSAGES, GEMINI]
        .map(|uri| document(json(uri, "{")).to_string())
        .into();
    let distinct: std::collections::HashSet<_> = shapes.iter().collect();
    assert_eq!(
        distinct.len(),
        Dialect::ALL.len() - 1,
        "both of Azure's share one"
    );
}

#[test]
fn the_pieces_of_a_prompt_are_bounded() {
    let chat = |messages: usize| {
        let messages = vec!["0"; messages].join(",");
        format!(r#"{{"model":"m","messages":[{messages}]}}"#)
    };
    assert_eq!(reason(CHAT, chat(1 << 16)), None);
    let more = reason(CHAT, chat((1 << 16) + 1));
    assert_eq!(more, Some(Reason::InvalidRequest));
}
