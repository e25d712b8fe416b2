//! The vendors' error documents. The module's documentation draws them and names the sources.

use bytes::Bytes;
use http::StatusCode;
use serde_json::{Value, json};

use super::{Reason, Refusal};
use crate::dialect::{Dialect, Operation};

/// The whole error document of a dialect.
pub(super) fn document(dialect: Dialect, refusal: &Refusal) -> Bytes {
    envelope(dialect, refusal).to_string().into()
}

/// An error as an event of a stream that has begun with success.
///
/// The bytes are one whole event: send them where an event may begin, after the blank line of the
/// last one, and then end the body uncleanly, for what follows a cut is no regular end. For
/// Gemini they fit `alt=sse`, not the JSON array. A stream that is to end without an error is what
/// [`truncate`](crate::truncate) is for.
///
/// The Responses API's error event states its members flat, as OpenAI's SDKs type them; the nested
/// `error` beside them is what makes the Python and Node SDKs raise instead of handing the event
/// on. Its `sequence_number` is 0: whoever cuts a stream does not count its events.
///
/// # Examples
///
/// ```
/// use aigw_core::{
///     dialect::{Dialect, Operation},
///     reject::{self, Reason, Refusal},
/// };
///
/// let refusal = Refusal::new(Reason::ContentFilter, "cut by policy");
/// let event = reject::in_band(Dialect::Anthropic, Operation::Chat, &refusal);
/// assert!(event.starts_with(b"event: error\ndata: {"));
/// assert!(event.ends_with(b"}\n\n"));
/// ```
#[must_use]
pub fn in_band(dialect: Dialect, operation: Operation, refusal: &Refusal) -> Bytes {
    let mut data = envelope(dialect, refusal);
    let named = match (dialect, operation) {
        (Dialect::Anthropic, _) => true,
        (Dialect::OpenAi | Dialect::AzureOpenAi | Dialect::AzureAi, Operation::Responses) => {
            if let Some(members) = data.as_object_mut() {
                members.insert("type".to_owned(), "error".into());
                members.insert("code".to_owned(), refusal.code_in(dialect).into());
                members.insert("message".to_owned(), (&*refusal.message).into());
                members.insert("param".to_owned(), json!(refusal.param));
                members.insert("sequence_number".to_owned(), 0.into());
            }
            true
        }
        _ => false,
    };
    // JSON escapes line breaks, so the document is one `data` line.
    let name = if named { "event: error\n" } else { "" };
    format!("{name}data: {data}\n\n").into()
}

/// What is common to a whole error document and an event.
fn envelope(dialect: Dialect, refusal: &Refusal) -> Value {
    match dialect {
        Dialect::OpenAi => json!({ "error": openai(refusal) }),
        Dialect::AzureOpenAi | Dialect::AzureAi => json!({ "error": azure(dialect, refusal) }),
        Dialect::Anthropic => json!({
            "type": "error",
            "error": { "type": anthropic_type(refusal.status), "message": refusal.message },
        }),
        Dialect::Gemini => json!({ "error": gemini(refusal) }),
    }
}

fn openai(refusal: &Refusal) -> Value {
    json!({
        "message": refusal.message,
        "type": refusal.kind.as_deref().unwrap_or_else(|| openai_type(refusal)),
        "param": refusal.param,
        "code": refusal.code_in(Dialect::OpenAi),
    })
}

/// OpenAI's own 401 has the type `invalid_request_error` with the code `invalid_api_key`; the
/// words `requests` and `tokens` of its 429 need to know which limit it was.
fn openai_type(refusal: &Refusal) -> &'static str {
    match refusal.reason {
        Reason::Quota => "insufficient_quota",
        Reason::RateLimit | Reason::Throttled => "rate_limit_error",
        _ if refusal.status.is_server_error() => "server_error",
        _ => "invalid_request_error",
    }
}

fn azure(dialect: Dialect, refusal: &Refusal) -> Value {
    let mut error = json!({
        "code": refusal.code_in(dialect),
        "message": refusal.message,
    });
    if let Some(members) = error.as_object_mut() {
        if let Some(param) = &refusal.param {
            members.insert("param".to_owned(), (&**param).into());
        }
        if refusal.reason == Reason::ContentFilter {
            members.insert("status".to_owned(), refusal.status.as_u16().into());
            let inner = json!({ "code": "ResponsibleAIPolicyViolation" });
            members.insert("innererror".to_owned(), inner);
        }
    }
    error
}

/// By status, because Anthropic documents its types by status; every other 4xx is an
/// `invalid_request_error` and every other 5xx an `api_error`. 529, its word for an overload, is
/// not a status that clients of other vendors know: ours is 503.
fn anthropic_type(status: StatusCode) -> &'static str {
    match status.as_u16() {
        401 => "authentication_error",
        402 => "billing_error",
        403 => "permission_error",
        404 => "not_found_error",
        408 | 504 => "timeout_error",
        413 => "request_too_large",
        429 => "rate_limit_error",
        503 | 529 => "overloaded_error",
        500.. => "api_error",
        _ => "invalid_request_error",
    }
}

fn gemini(refusal: &Refusal) -> Value {
    let mut error = json!({
        "code": refusal.status.as_u16(),
        "message": refusal.message,
        "status": google_status(refusal.status),
    });
    // Where Google states a wait: clients of Gemini read the body, not `retry-after`.
    if let (Some(wait), Some(members)) = (refusal.retry_after, error.as_object_mut()) {
        let details = json!([{
            "@type": "type.googleapis.com/google.rpc.RetryInfo",
            "retryDelay": format!("{}s", wait.as_secs_f64()),
        }]);
        members.insert("details".to_owned(), details);
    }
    error
}

/// The word of `google.rpc.Code` for a status; 4xx and 5xx without one get the most general.
fn google_status(status: StatusCode) -> &'static str {
    match status.as_u16() {
        401 => "UNAUTHENTICATED",
        403 => "PERMISSION_DENIED",
        404 => "NOT_FOUND",
        408 | 504 => "DEADLINE_EXCEEDED",
        409 => "ABORTED",
        429 => "RESOURCE_EXHAUSTED",
        499 => "CANCELLED",
        501 => "UNIMPLEMENTED",
        502 | 503 => "UNAVAILABLE",
        500.. => "INTERNAL",
        _ => "INVALID_ARGUMENT",
    }
}
