//! Errors in each vendor's shape, so that its SDK raises its own typed error.

use http::{HeaderValue, StatusCode, header};
use serde_json::{Value, json};

use super::reply::Reply;
use crate::dialect::{Dialect, Target};

/// What is wrong with a call.
#[derive(Debug)]
pub(super) struct Refusal<'r> {
    pub(super) status: StatusCode,
    pub(super) code: &'r str,
    pub(super) message: &'r str,
    pub(super) param: Option<&'r str>,
}

impl Refusal<'_> {
    pub(super) fn reply(&self, dialect: Dialect) -> Reply {
        Reply::json(self.status, &self.body(dialect))
    }

    fn body(&self, dialect: Dialect) -> Value {
        let message = self.message;
        match dialect {
            Dialect::Anthropic => anthropic(self.status, message),
            Dialect::Gemini => gemini(self.status, message),
            _ => openai(self.status, Some(self.code), message, self.param),
        }
    }
}

/// OpenAI: `openai/types/shared/error_object.py`.
pub(super) fn openai(
    status: StatusCode,
    code: Option<&str>,
    message: &str,
    param: Option<&str>,
) -> Value {
    let kind = match status.as_u16() {
        429 if code == Some("rate_limit_exceeded") => "tokens",
        400..500 => "invalid_request_error",
        _ => "server_error",
    };
    json!({"error": {"code": code, "message": message, "param": param, "type": kind}})
}

/// Anthropic: `anthropic/types/shared/error_response.py` and its siblings, one for each type.
pub(super) fn anthropic(status: StatusCode, message: &str) -> Value {
    let kind = match status.as_u16() {
        401 => "authentication_error",
        402 => "billing_error",
        403 => "permission_error",
        404 => "not_found_error",
        413 => "request_too_large",
        429 => "rate_limit_error",
        400..500 => "invalid_request_error",
        503 | 529 => "overloaded_error",
        504 => "timeout_error",
        _ => "api_error",
    };
    json!({
        "type": "error",
        "error": {"type": kind, "message": message},
        "request_id": null,
    })
}

/// Gemini: `google.rpc.Status`, as `google/genai/errors.py` reads it.
pub(super) fn gemini(status: StatusCode, message: &str) -> Value {
    let word = match status.as_u16() {
        401 => "UNAUTHENTICATED",
        403 => "PERMISSION_DENIED",
        404 => "NOT_FOUND",
        429 => "RESOURCE_EXHAUSTED",
        400..500 => "INVALID_ARGUMENT",
        503 => "UNAVAILABLE",
        504 => "DEADLINE_EXCEEDED",
        _ => "INTERNAL",
    };
    json!({"error": {"code": status.as_u16(), "message": message, "status": word}})
}

/// The failure that a script asks for: on OpenAI's paths in the labs' mock server's words.
pub(super) fn scripted(target: &Target, status: StatusCode) -> Reply {
    let code = status.as_u16().to_string();
    let (code, message) = match status.as_u16() {
        429 => (&*code, "Rate limit is exceeded. Try again in 5 seconds."),
        500 => (&*code, "Internal server error"),
        503 => (
            &*code,
            "The engine is currently overloaded, please try again later",
        ),
        _ => ("N/A", "Unknown error"),
    };
    let body = match target.dialect() {
        Dialect::Anthropic => anthropic(status, message),
        Dialect::Gemini => gemini(status, message),
        _ => json!({"error": {"code": code, "message": message}}),
    };
    let mut reply = Reply::json(status, &body);
    if status == StatusCode::TOO_MANY_REQUESTS {
        // The mock's hint has underscores, and there is no `Retry-After` unless the script adds
        // one.
        let hint = HeaderValue::from_static("5000");
        reply.headers.insert("retry_after_ms", hint);
    }
    reply
}

/// The provider's own limit.
pub(super) fn throttled(dialect: Dialect, wait: std::time::Duration) -> Reply {
    let millis = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX).max(1);
    let seconds = millis.div_ceil(1000);
    let message = format!("Rate limit is exceeded. Try again in {seconds} seconds.");
    let refusal = Refusal {
        status: StatusCode::TOO_MANY_REQUESTS,
        code: "rate_limit_exceeded",
        message: &message,
        param: None,
    };
    let mut reply = refusal.reply(dialect);
    reply.headers.insert(header::RETRY_AFTER, seconds.into());
    reply.headers.insert("retry-after-ms", millis.into());
    reply
}
