use serde_json::Value;

use super::{reply::Content, script::Script};
use crate::dialect::Target;

/// One call, as the dialects need it.
#[derive(Debug)]
pub(super) struct Asked<'a> {
    pub(super) target: &'a Target,
    pub(super) query: Option<&'a str>,
    pub(super) model: &'a str,
    pub(super) body: &'a Value,
    pub(super) script: &'a Script,
    /// How the provider calls itself.
    pub(super) name: &'a str,
    /// Hexadecimal, different for each call.
    pub(super) id: &'a str,
    /// Seconds of Unix time.
    pub(super) created: u64,
}

/// What a dialect says to a call, and how many tokens of prompt and answer that took.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) content: Content,
    pub(super) tokens: u64,
    pub(super) output: u64,
}

impl Told {
    /// A whole answer without generated text.
    pub(super) fn plain(body: Value, tokens: u64) -> Self {
        Self {
            content: Content::Json(body),
            tokens,
            output: 0,
        }
    }
}

impl Asked<'_> {
    pub(super) fn streams(&self) -> bool {
        self.target.streams() || self.body.get("stream") == Some(&Value::Bool(true))
    }
}

/// Sets a field, or leaves it out where there is nothing to say.
pub(super) fn put(object: &mut Value, name: &str, value: Option<Value>) {
    if let (Some(object), Some(value)) = (object.as_object_mut(), value) {
        object.insert(name.to_owned(), value);
    }
}
