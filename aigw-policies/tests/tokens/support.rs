//! Calls and what estimators make of them.

use std::sync::Arc;

use aigw_core::{
    call::{Call, Record},
    dialect::Target,
};
use bytes::Bytes;
use http::{HeaderMap, Method, Uri};
use serde_json::Value;

/// A call as a caller makes it.
pub(crate) fn call(path: &str, body: impl Into<Bytes>) -> Arc<Call> {
    let mut headers = HeaderMap::new();
    if path == "/v1/messages" {
        headers.insert("anthropic-version", "2023-06-01".parse().unwrap());
    }
    let uri: Uri = path.parse().unwrap();
    let target = Target::recognize(&Method::POST, &uri, &headers);
    let record = Arc::new(Record::default());
    Arc::new(Call::parse(target, body.into(), record).unwrap())
}

/// A chat completion of these messages and whatever else.
pub(crate) fn chat(model: &str, body: &Value) -> Arc<Call> {
    let mut body = body.clone();
    body["model"] = model.into();
    call("/v1/chat/completions", body.to_string())
}
