//! The words of a script, read into types.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Map, Value};

use super::base64;

/// What a call's script makes of the answer. Without a script: nothing.
#[derive(Debug, Default)]
pub(super) struct Script {
    /// Whether there is a script at all: the labs' mock server answers scripted prompts in its own
    /// words.
    pub(super) present: bool,
    pub(super) status: Option<u16>,
    pub(super) wait: Duration,
    pub(super) headers: HeaderMap,
    pub(super) usage: UsageWord,
    pub(super) text: Option<String>,
    pub(super) time_to_first_token: Option<Duration>,
    pub(super) time_per_chunk: Option<Duration>,
    pub(super) fault: Option<Fault>,
    pub(super) omit_done: bool,
    pub(super) refuse_stream_options: bool,
    pub(super) raw: Option<Raw>,
    pub(super) chunk_bytes: Option<usize>,
    pub(super) framing: Framing,
}

/// What the answer states as its usage.
#[derive(Debug, Default)]
pub(super) enum UsageWord {
    #[default]
    Counted,
    Absent,
    Given(Map<String, Value>),
}

/// What goes wrong after so many events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) kind: FaultKind,
    pub(super) after: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FaultKind {
    /// The body fails.
    Drop,
    /// The body ends cleanly, without its terminal event.
    End,
    /// Nothing ever comes again.
    Hang,
    /// One event is no JSON; the others follow.
    Malformed,
    /// An error event, then a clean end.
    Error,
}

/// Bytes to answer with, as they stand.
#[derive(Debug)]
pub(super) struct Raw {
    pub(super) body: Bytes,
    pub(super) content_type: HeaderValue,
}

/// How server-sent events are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Framing {
    pub(super) line_ending: Option<&'static str>,
    pub(super) comments: bool,
    pub(super) bom: bool,
}

impl Script {
    /// Reads the fields of one step; the error says what is wrong with them.
    pub(super) fn read(fields: &Map<String, Value>) -> Result<Self, String> {
        let mut script = Self {
            present: true,
            ..Self::default()
        };
        for (name, value) in fields {
            script
                .set(name, value)
                .ok_or_else(|| format!("simulation: cannot use `{name}`: {value}"))?;
        }
        Ok(script)
    }

    fn set(&mut self, name: &str, value: &Value) -> Option<()> {
        if value.is_null() {
            return Some(());
        }
        match name {
            "response_status_code" => self.status = Some(status(value)?),
            "wait_time_ms" => self.wait = millis(value)?,
            "headers" => self.headers = headers(value)?,
            "usage" => self.usage = usage(value)?,
            "text" => self.text = Some(value.as_str()?.to_owned()),
            // Words of one token each, to make an answer of a known length.
            "tokens" => self.text = Some(" word".repeat(count(value)?.min(1 << 20))),
            "ttft_ms" => self.time_to_first_token = Some(millis(value)?),
            "chunk_delay_ms" => self.time_per_chunk = Some(millis(value)?),
            "drop_after_chunks" => self.fault = Some(FaultKind::Drop.after(value)?),
            "end_after_chunks" => self.fault = Some(FaultKind::End.after(value)?),
            "hang_after_chunks" => self.fault = Some(FaultKind::Hang.after(value)?),
            "malformed_after_chunks" => self.fault = Some(FaultKind::Malformed.after(value)?),
            "error_after_chunks" => self.fault = Some(FaultKind::Error.after(value)?),
            "done" => self.omit_done = !value.as_bool()?,
            "refuse_stream_options" => self.refuse_stream_options = value.as_bool()?,
            "raw" => self.raw = Some(raw(value)?),
            "chunk_bytes" => self.chunk_bytes = Some(count(value)?.max(1)),
            "comments" => self.framing.comments = value.as_bool()?,
            "bom" => self.framing.bom = value.as_bool()?,
            "line_ending" => self.framing.line_ending = Some(line_ending(value.as_str()?)?),
            // Only makes one script another than its twin, for the counting of attempts.
            "id" => {}
            _ => return None,
        }
        Some(())
    }
}

impl FaultKind {
    fn after(self, chunks: &Value) -> Option<Fault> {
        let after = count(chunks)?;
        Some(Fault { kind: self, after })
    }
}

fn status(value: &Value) -> Option<u16> {
    let code = u16::try_from(value.as_u64()?).ok()?;
    (200..=999).contains(&code).then_some(code)
}

fn millis(value: &Value) -> Option<Duration> {
    Duration::try_from_secs_f64(value.as_f64()? / 1000.0).ok()
}

fn count(value: &Value) -> Option<usize> {
    usize::try_from(value.as_u64()?).ok()
}

fn usage(value: &Value) -> Option<UsageWord> {
    match value {
        Value::Bool(true) => Some(UsageWord::Counted),
        Value::Bool(false) => Some(UsageWord::Absent),
        Value::Object(fields) => Some(UsageWord::Given(fields.clone())),
        _ => None,
    }
}

fn headers(value: &Value) -> Option<HeaderMap> {
    let pair = |(name, value): (&String, &Value)| {
        let text = value.as_str().map_or_else(|| value.to_string(), Into::into);
        let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
        Some((name, HeaderValue::from_str(&text).ok()?))
    };
    value.as_object()?.iter().map(pair).collect()
}

fn raw(value: &Value) -> Option<Raw> {
    let text = |name| value.get(name).and_then(Value::as_str);
    let body = match text("base64") {
        Some(encoded) => base64::decode(encoded)?,
        None => text("body")?.as_bytes().to_vec(),
    };
    let content_type = text("content_type").unwrap_or("application/json");
    Some(Raw {
        body: body.into(),
        content_type: HeaderValue::from_str(content_type).ok()?,
    })
}

fn line_ending(name: &str) -> Option<&'static str> {
    match name {
        "lf" => Some("\n"),
        "cr" => Some("\r"),
        "crlf" => Some("\r\n"),
        _ => None,
    }
}
