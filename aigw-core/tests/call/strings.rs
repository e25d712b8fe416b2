//! Long strings are told where they stand, and what they come to.

use proptest::prelude::*;
use serde_json::Value;

use crate::stack::{CHAT, parse};

/// What all values of a document say that are long strings as it is written, in their order.
fn long(value: &Value, said: &mut Vec<String>) {
    match value {
        Value::String(text) if value.to_string().len() >= 256 + 2 => said.push(text.to_owned()),
        Value::Array(list) => list.iter().for_each(|value| long(value, said)),
        Value::Object(map) => map.values().for_each(|value| long(value, said)),
        _ => {}
    }
}

fn text() -> impl Strategy<Value = String> {
    // About as long as what is told, with escapes wherever a block of bytes may end.
    r#"[a-z\n"\\é猫\u{1}]{0,4}([a-z ]{10,60}|[\n"\\\u{1}]{1,3}){4,7}"#
}

proptest! {
    #[test]
    fn each_is_told_in_its_place(texts in prop::collection::vec(text(), 1..5), key in text()) {
        let mut body = serde_json::json!({"model": "m", "metadata": {"a": texts.clone()}});
        body["messages"] = texts.into();
        body["tools"] = serde_json::json!([{ key: 1 }]);
        let mut expected = Vec::new();
        long(&body, &mut expected);
        let json = body.to_string();
        let call = parse(CHAT, &json).unwrap();
        let mut told = Vec::new();
        for string in call.long_strings() {
            let written = &json[string.span.clone()];
            let said: String = serde_json::from_str(written).unwrap();
            prop_assert_eq!(said.len(), string.bytes);
            prop_assert_eq!(written.contains("\\u"), string.has_codes);
            told.push(said);
        }
        prop_assert_eq!(told, expected);
    }
}

#[test]
fn a_short_one_is_not_told() {
    let body =
        |letters: usize| format!(r#"{{"model":"m","messages":["{}"]}}"#, "a".repeat(letters));
    assert!(parse(CHAT, &body(255)).unwrap().long_strings().is_empty());
    let body = body(256);
    let call = parse(CHAT, &body).unwrap();
    let [string] = call.long_strings() else {
        panic!("{:?}", call.long_strings());
    };
    assert_eq!(
        &body[string.span.clone()],
        format!("\"{}\"", "a".repeat(256))
    );
}
