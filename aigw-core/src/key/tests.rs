use std::{net::IpAddr, sync::Arc};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};

use super::*;
use crate::{
    call::{Call, Record},
    dialect::Target,
};

/// A chat call for `m` by the user `u`, with an empty record.
fn call() -> Call {
    let request = http::Request::post("/v1/chat/completions")
        .body(())
        .unwrap();
    let target = Target::recognize(request.method(), request.uri(), request.headers());
    let body = Bytes::from_static(br#"{"model":"m","user":"u","messages":[]}"#);
    Call::parse(target, body, Arc::new(Record::default())).unwrap()
}

fn value(call: &Call, headers: &HeaderMap, dimension: &str) -> Option<String> {
    let dimension: Dimension = dimension.parse().unwrap();
    dimension.value(call, headers).map(String::from)
}

#[test]
fn every_text_form_round_trips() {
    let cases = [
        ("consumer", Dimension::Consumer),
        ("user", Dimension::User),
        ("model", Dimension::Model),
        ("operation", Dimension::Operation),
        ("ip", Dimension::Ip),
        (
            "header:x-team",
            Dimension::Header(HeaderName::from_static("x-team")),
        ),
        ("label:tier", Dimension::Label("tier".into())),
        ("label:a:b", Dimension::Label("a:b".into())),
    ];
    for (text, dimension) in cases {
        assert_eq!(text.parse(), Ok(dimension.clone()), "{text}");
        assert_eq!(dimension.to_string(), text);
    }
}

#[test]
fn header_names_are_told_apart_without_case() {
    assert_eq!(
        "header:X-Team".parse::<Dimension>(),
        "header:x-team".parse()
    );
    assert_ne!("label:Tier".parse::<Dimension>(), "label:tier".parse());
}

#[test]
fn what_is_no_key_is_named_in_the_error() {
    let cases = [
        ("customer", "expected consumer, user"),
        ("Consumer", "expected consumer, user"),
        ("", "expected consumer, user"),
        ("cookie:id", "expected consumer, user"),
        ("header:", "a name must follow"),
        ("label:", "a name must follow"),
        ("header:x team", "not a header name"),
    ];
    for (text, why) in cases {
        let error = text.parse::<Dimension>().unwrap_err().to_string();
        assert!(
            error.starts_with(&format!("`{text}` is no key: ")),
            "{error}"
        );
        assert!(error.contains(why), "{error}");
    }
}

#[test]
fn values_come_from_call_headers_and_record() {
    let call = call();
    call.record()
        .state(Consumer::new("team-a").label("tier", "gold"));
    call.record()
        .state(ClientAddr("192.0.2.7".parse().unwrap()));
    let mut headers = HeaderMap::new();
    headers.append("x-team", HeaderValue::from_static("blue"));
    headers.append("x-team", HeaderValue::from_static("red"));
    let cases = [
        ("consumer", "team-a"),
        ("user", "u"),
        ("model", "m"),
        ("operation", "chat"),
        ("ip", "192.0.2.7"),
        ("header:x-team", "blue"),
        ("label:tier", "gold"),
    ];
    for (dimension, expected) in cases {
        assert_eq!(
            value(&call, &headers, dimension).as_deref(),
            Some(expected),
            "{dimension}"
        );
    }
}

#[test]
fn what_is_not_known_is_none() {
    let call = call();
    let mut headers = HeaderMap::new();
    headers.insert("x-bytes", HeaderValue::from_bytes(b"\xff").unwrap());
    for dimension in [
        "consumer",
        "ip",
        "header:x-team",
        "header:x-bytes",
        "label:tier",
    ] {
        assert_eq!(value(&call, &headers, dimension), None, "{dimension}");
    }
    call.record().state(Consumer::new("team-a"));
    assert_eq!(value(&call, &headers, "label:tier"), None);
}

#[test]
fn an_ipv4_address_inside_ipv6_is_the_ipv4_address() {
    let call = call();
    let mapped: IpAddr = "::ffff:192.0.2.7".parse().unwrap();
    call.record().state(ClientAddr(mapped));
    assert_eq!(
        value(&call, &HeaderMap::new(), "ip").as_deref(),
        Some("192.0.2.7")
    );
}

#[cfg(feature = "serde")]
#[test]
fn configuration_reads_and_writes_the_text_form() {
    let text = r#"["consumer","header:x-team","label:tier"]"#;
    let key: Vec<Dimension> = serde_json::from_str(text).unwrap();
    assert_eq!(key.len(), 3);
    assert_eq!(serde_json::to_string(&key).unwrap(), text);
    let error = serde_json::from_str::<Dimension>(r#""customer""#).unwrap_err();
    assert!(error.to_string().contains("`customer`"), "{error}");
    assert!(serde_json::from_str::<Dimension>("7").is_err());
}
