//! Requests: JSON bodies and the forms of uploads.

use std::{convert::Infallible, sync::Arc};

use aigw_core::{
    call::{Call, CallBody, CallLayer, HasCall},
    dialect::Target,
    reject::Reason,
};
use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, Uri};
use http_body_util::Full;
use serde::de::IgnoredAny;
use serde_json::Value;
use tower::{Layer, ServiceExt, service_fn};

use super::answers::{Pieces, drain, run};
use crate::mutate::{Random, pieces};

const PATHS: &[&str] = &[
    "/v1/chat/completions",
    "/v1/completions",
    "/v1/responses",
    "/v1/embeddings",
    "/v1/images/generations",
    "/openai/deployments/d/chat/completions",
    "/v1/messages",
    "/v1beta/models/g:generateContent",
];

pub(super) fn seeds() -> Vec<Vec<u8>> {
    let seeds = [
        r#"{"model":"m","messages":[{"role":"user","content":"hi"}],"stream":true}"#,
        r#"{"model":"m","stream_options":{"include_usage":false,"x":[]},"n":2,"max_tokens":10}"#,
        r#"{"model":"m","input":["a","b"],"user":"u","tools":[{"type":"function"}]}"#,
        r#" { "model" : "a\u00e9\ud83d\ude00\n" , "prompt" : "x", "temperature": -1.5e-3 } "#,
        r#"{"model":"m","system":"s","metadata":{"user_id":"u"},"max_tokens":1}"#,
        r#"{"contents":[{"parts":[{"text":"x"}]}],"generationConfig":{"maxOutputTokens":5}}"#,
        r#"{"model":"m","x":{"a":[1,2,{"b":null}]},"y":[[],{},"",0,-0,1E+2,true]}"#,
        "{}",
    ];
    // Texts that are longer than what is looked at at once, with escapes around where that ends.
    let texts = [61, 62, 63, 64, 125].map(|plain| {
        let text = format!("{}\\n\\\\\\\"\\u00e9", "a".repeat(plain)).repeat(5);
        format!(r#"{{"model":"m","messages":[{{"content":"{text}"}},"{text}"]}}"#)
    });
    let seeds = seeds.into_iter().map(str::to_owned).chain(texts);
    seeds.map(String::into_bytes).collect()
}

/// How deep a valid document is nested.
fn depth(json: &[u8]) -> usize {
    let (mut depth, mut deepest, mut quoted, mut escaped) = (0, 0, false, false);
    for byte in json {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'{' | b'[' if !quoted => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' if !quoted => depth -= 1,
            _ => {}
        }
    }
    deepest
}

pub(super) fn check(input: &[u8], random: &mut Random) {
    let Some(path) = random.pick(PATHS) else {
        return;
    };
    let uri = Uri::from_static(path);
    let target = Target::recognize(&Method::POST, &uri, &HeaderMap::new());
    let parsed = Call::parse(target, Bytes::copy_from_slice(input), Arc::default());
    let valid = std::str::from_utf8(input).is_ok_and(|text| {
        serde_json::from_str::<IgnoredAny>(text).is_ok()
            && text.trim_ascii_start().starts_with('{')
            && depth(input) <= 127
    });
    match &parsed {
        Err(refusal) if refusal.reason == Reason::InvalidJson => {
            assert!(!valid, "refused what is JSON: {}", refusal.message);
        }
        // A key that stands twice is refused before the rest is read.
        Err(refusal) if refusal.param.as_deref().is_some_and(|key| key != "model") => {}
        Err(refusal) if refusal.message.contains("twice") => {}
        Err(refusal) => assert!(valid, "another refusal of what is not JSON: {refusal:?}"),
        Ok(call) => {
            assert!(valid, "accepted what is not JSON");
            agrees(call, input);
        }
    }
}

/// Whether the call says what a whole-document parser reads.
fn agrees(call: &Call, input: &[u8]) {
    for part in call.parts() {
        assert!(
            serde_json::from_slice::<IgnoredAny>(call.json(part)).is_ok(),
            "part {part:?}"
        );
    }
    for string in call.long_strings() {
        let written = input.get(string.span.clone()).unwrap_or_default();
        assert!(string.span.len() >= 256 + 2, "long: {string:?}");
        if let Ok(said) = serde_json::from_slice::<String>(written) {
            assert_eq!(said.len(), string.bytes, "bytes of {string:?}");
        }
    }
    // Lone surrogates and numbers out of range are JSON that it cannot hold.
    let Ok(document) = serde_json::from_slice::<Value>(input) else {
        return;
    };
    if call.target().path_model().is_none() {
        assert_eq!(
            call.model(),
            document.get("model").and_then(Value::as_str),
            "model"
        );
    }
    if !call.target().streams() && !matches!(call.dialect(), aigw_core::dialect::Dialect::Gemini) {
        assert_eq!(
            call.streams(),
            document.get("stream") == Some(&Value::Bool(true)),
            "stream"
        );
    }
}

const FORM: &str = "--X\r\nContent-Disposition: form-data; name=\"language\"\r\n\r\nen\r\n\
    --X\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nwhisper-1\r\n\
    --X\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\nRIFF\r\n--X--\r\n";

pub(super) fn form_seeds() -> Vec<Vec<u8>> {
    let empty = "preamble\r\n--X \r\nContent-Disposition: form-data; name=model\r\n\r\n--X--";
    [FORM, empty].map(|form| form.as_bytes().to_vec()).into()
}

pub(super) fn check_form(input: &[u8], random: &mut Random) {
    let sent = |chunks: &[&[u8]]| {
        let inner = service_fn(async |request: Request<CallBody<Pieces>>| {
            let mut body = request.into_body();
            let model = body.model().map(str::to_owned);
            Ok::<_, Infallible>(Response::new((model, drain(&mut body))))
        });
        let inner = tower::util::MapResponse::new(inner, |response: Response<_>| {
            let (model, bytes) = response.into_body();
            let mut response = Response::new(Full::<Bytes>::default());
            response.extensions_mut().insert(Passed(model, bytes));
            response
        });
        let request = Request::post("/v1/audio/transcriptions")
            .header("content-type", "multipart/form-data; boundary=X")
            .body(Pieces::new(chunks));
        let Ok(request) = request else { return None };
        let Ok(mut response) = run(CallLayer::new().layer(inner).oneshot(request));
        response.extensions_mut().remove::<Passed>()
    };
    let whole = sent(&[input]);
    if let Some(Passed(_, bytes)) = &whole {
        assert_eq!(bytes, input, "bytes");
    }
    assert_eq!(sent(&pieces(input, random)), whole, "in pieces");
}

/// What the inner service was given: the model and the bytes.
#[derive(Clone, Debug, PartialEq)]
struct Passed(Option<String>, Vec<u8>);
