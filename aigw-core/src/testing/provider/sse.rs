//! Writing streams, with every liberty that the formats allow.

use bytes::Bytes;
use serde_json::Value;

use super::script::Framing;

/// How a stream is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    /// Server-sent events, then `[DONE]`.
    SseUntilDone,
    /// Server-sent events; the last of them is the end.
    Sse,
    /// Server-sent events with Google's line endings.
    GoogleSse,
    /// One JSON array, element by element.
    JsonArray,
}

/// An event of a stream.
#[derive(Debug)]
pub(super) struct Event {
    pub(super) name: Option<&'static str>,
    pub(super) data: Value,
    /// Whether it carries generated content, and so takes the time of a token.
    pub(super) content: bool,
}

impl Event {
    pub(super) fn frame(data: Value) -> Self {
        Self {
            name: None,
            data,
            content: false,
        }
    }

    pub(super) fn content(data: Value) -> Self {
        Self {
            content: true,
            ..Self::frame(data)
        }
    }

    pub(super) fn named(mut self, name: &'static str) -> Self {
        self.name = Some(name);
        self
    }
}

/// Writes the events of one stream.
#[derive(Debug)]
pub(super) struct Writer {
    format: Format,
    framing: Framing,
    begun: bool,
}

impl Writer {
    pub(super) fn new(format: Format, framing: Framing) -> Self {
        Self {
            format,
            framing,
            begun: false,
        }
    }

    pub(super) fn content_type(&self) -> &'static str {
        match self.format {
            Format::SseUntilDone | Format::Sse => "text/event-stream; charset=utf-8",
            Format::GoogleSse => "text/event-stream",
            Format::JsonArray => "application/json; charset=UTF-8",
        }
    }

    pub(super) fn event(&mut self, event: &Event) -> Bytes {
        self.write(event.name, &event.data.to_string())
    }

    /// An event whose data breaks off.
    pub(super) fn malformed(&mut self) -> Bytes {
        self.write(None, r#"{"choices":[{"delta":{"content":"brok"#)
    }

    /// What follows the last event; without `done`, a stream that has such a terminal lacks it.
    pub(super) fn end(&mut self, done: bool) -> Option<Bytes> {
        match self.format {
            _ if !done => None,
            Format::SseUntilDone => Some(self.write(None, "[DONE]")),
            Format::JsonArray if self.begun => Some(Bytes::from_static(b"\n]")),
            Format::JsonArray => Some(Bytes::from_static(b"[]")),
            Format::Sse | Format::GoogleSse => None,
        }
    }

    fn write(&mut self, name: Option<&str>, data: &str) -> Bytes {
        let first = !std::mem::replace(&mut self.begun, true);
        if self.format == Format::JsonArray {
            // As Google writes it: the separator stands before each element but the first.
            let before = if first { "[" } else { "\n,\r\n" };
            return Bytes::from(format!("{before}{data}"));
        }
        let line = self.framing.line_ending.unwrap_or(match self.format {
            Format::GoogleSse => "\r\n",
            _ => "\n",
        });
        let bom = if first && self.framing.bom {
            "\u{feff}"
        } else {
            ""
        };
        let comment = if self.framing.comments {
            format!(": keep-alive{line}{line}")
        } else {
            String::new()
        };
        let name = name.map_or_else(String::new, |name| format!("event: {name}{line}"));
        Bytes::from(format!("{bom}{comment}{name}data: {data}{line}{line}"))
    }
}

/// The chunks of a text in turn, as the deltas of a stream.
pub(super) fn deltas(text: &str, delta: impl Fn(&str) -> Value) -> Vec<Event> {
    super::tokens::pieces(text)
        .into_iter()
        .map(|piece| Event::content(delta(piece)))
        .collect()
}
