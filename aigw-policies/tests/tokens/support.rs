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

#[cfg(feature = "tiktoken")]
mod counting {
    use std::sync::Arc;

    use aigw_core::call::Call;
    use aigw_policies::tokens::{Count, Counting, Estimator};

    /// A count, done here and now if it is long.
    pub(crate) fn count(estimator: &impl Estimator, call: &Arc<Call>) -> Option<Count> {
        match estimator.count(call) {
            Counting::Counted(count) => Some(count),
            Counting::Long(work) => Some(work.run()),
            _ => None,
        }
    }

    /// The tokens of a call that can be counted.
    pub(crate) fn tokens(estimator: &impl Estimator, call: &Arc<Call>) -> u64 {
        count(estimator, call).unwrap().tokens
    }
}

#[cfg(feature = "tiktoken")]
pub(crate) use self::counting::{count, tokens};
