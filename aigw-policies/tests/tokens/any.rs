//! Requests as nobody sends them, under the keys that are read.

use aigw_policies::tokens::{Estimator, Fast};
use proptest::prelude::*;
use serde_json::{Map, Value};

use crate::support::call;

const PATHS: [&str; 5] = [
    "/v1/chat/completions",
    "/v1/responses",
    "/v1/messages",
    "/v1/embeddings",
    "/v1beta/models/gemini-2.5-pro:generateContent",
];

const ROOTS: [&str; 12] = [
    "messages",
    "input",
    "instructions",
    "system",
    "tools",
    "functions",
    "response_format",
    "text",
    "contents",
    "systemInstruction",
    "prompt",
    "content",
];

const KEYS: [&str; 30] = [
    "role",
    "content",
    "name",
    "text",
    "type",
    "image_url",
    "url",
    "detail",
    "source",
    "data",
    "inlineData",
    "input_audio",
    "file",
    "file_data",
    "file_id",
    "input",
    "args",
    "function",
    "parameters",
    "properties",
    "enum",
    "items",
    "description",
    "functionDeclarations",
    "schema",
    "json_schema",
    "format",
    "parts",
    "tool_calls",
    "x",
];

/// Values of every kind, data that begins like an image or a sound among them.
fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,20}".prop_map(Value::from),
        prop::sample::select(vec![
            "iVBORw0KGgo",
            "/9j/4AAQ",
            "R0lGODlh",
            "UklGRgAAAABXQVZF",
            "SUQzBAAA",
            "//uQ",
            "T2dnUw=="
        ])
        .prop_flat_map(|head| "[A-Za-z0-9+/]{0,60}".prop_map(move |rest| format!("{head}{rest}")))
        .prop_flat_map(|data| prop_oneof![
            Just(data.clone()),
            Just(format!("data:x;base64,{data}"))
        ])
        .prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 40, 5, |inner| {
        let key = prop::sample::select(KEYS.as_slice()).prop_map(str::to_owned);
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec((key, inner), 0..5)
                .prop_map(|members| Value::from(members.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn whatever_is_asked_has_bounds(
        path in prop::sample::select(PATHS.as_slice()),
        members in prop::collection::vec((prop::sample::select(ROOTS.as_slice()), value()), 0..4),
    ) {
        let mut body: Map<_, _> = members.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
        body.insert("model".to_owned(), "gpt-4o".into());
        let call = call(path, Value::from(body).to_string());
        let estimate = Fast::new().estimate(&call);
        prop_assert!(estimate.at_least() <= estimate.at_most());
        #[cfg(feature = "tiktoken")]
        if let Some(count) = crate::support::count(&aigw_policies::tokens::Exact::new(), &call) {
            prop_assert!((estimate.at_least()..=estimate.at_most()).contains(&count.tokens), "{count:?} {estimate:?}");
        }
    }
}
