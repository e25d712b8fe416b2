//! An answer as a plan: what the head says, which bytes follow when, and how it ends.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde_json::Value;

use super::{
    script::{FaultKind, Script},
    sse::{Event, Format, Writer},
};

/// What a dialect has to say, before a script has its way with it.
#[derive(Debug)]
pub(super) enum Content {
    Json(Value),
    /// Bytes of another type, in as many pieces as come one by one.
    Bytes(&'static str, Vec<Bytes>),
    Stream(Stream),
}

#[derive(Debug)]
pub(super) struct Stream {
    pub(super) format: Format,
    pub(super) events: Vec<Event>,
    /// What an error inside the stream looks like.
    pub(super) error: Event,
}

#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    /// The time before the head.
    pub(super) delay: Duration,
    pub(super) pieces: Vec<Piece>,
    pub(super) end: End,
    /// Whether the length is known beforehand, as it is of everything that is no stream.
    pub(super) exact: bool,
}

#[derive(Debug)]
pub(super) struct Piece {
    /// The time before it.
    pub(super) after: Duration,
    pub(super) data: Bytes,
}

/// How a body ends when its pieces are gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Clean,
    Broken,
    Hanging,
}

/// How fast the answer comes.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Pace {
    pub(super) first: Duration,
    pub(super) then: Duration,
}

impl Reply {
    /// A refusal or another whole JSON answer, at once.
    pub(super) fn json(status: StatusCode, value: &Value) -> Self {
        let data = Bytes::from(value.to_string());
        Self::whole(
            status,
            HeaderValue::from_static("application/json"),
            vec![data],
        )
    }

    fn whole(status: StatusCode, content_type: HeaderValue, pieces: Vec<Bytes>) -> Self {
        let after = Duration::ZERO;
        let piece = |data| Piece { after, data };
        Self {
            status,
            headers: [(header::CONTENT_TYPE, content_type)].into_iter().collect(),
            delay: after,
            pieces: pieces
                .into_iter()
                .filter(|data| !data.is_empty())
                .map(piece)
                .collect(),
            end: End::Clean,
            exact: true,
        }
    }

    /// Plans an answer of `output` tokens as the script wants it.
    pub(super) fn plan(
        status: StatusCode,
        content: Content,
        script: &Script,
        pace: Pace,
        output: u64,
    ) -> Self {
        let pace = Pace {
            first: script.time_to_first_token.unwrap_or(pace.first),
            then: script.time_per_chunk.unwrap_or(pace.then),
        };
        let mut reply = match (&script.raw, content) {
            (Some(raw), _) => {
                let mut reply =
                    Self::whole(status, raw.content_type.clone(), vec![raw.body.clone()]);
                reply.exact = !raw
                    .content_type
                    .as_bytes()
                    .starts_with(b"text/event-stream");
                reply.rechunk(script);
                reply.pace(pace, |_| true);
                reply
            }
            (None, Content::Json(value)) => {
                let mut reply = Self::json(status, &value);
                let rest = u32::try_from(output.saturating_sub(1)).unwrap_or(u32::MAX);
                reply.delay = pace.first + pace.then.saturating_mul(rest);
                reply.rechunk(script);
                reply
            }
            (None, Content::Bytes(content_type, pieces)) => {
                let content_type = HeaderValue::from_static(content_type);
                let mut reply = Self::whole(status, content_type, pieces);
                reply.rechunk(script);
                reply.pace(pace, |_| true);
                reply
            }
            (None, Content::Stream(stream)) => Self::stream(status, stream, script, pace),
        };
        if let Some(fault) = script.fault
            && let Some(end) = fault.kind.end()
        {
            reply.pieces.truncate(fault.after);
            reply.end = end;
        }
        if script.raw.is_none() && !reply.exact {
            reply.rechunk(script);
        }
        reply.delay = reply.delay.saturating_add(script.wait);
        reply.headers.extend(script.headers.clone());
        reply
    }

    fn stream(status: StatusCode, mut stream: Stream, script: &Script, pace: Pace) -> Self {
        let mut done = !script.omit_done;
        if let Some(fault) = script.fault
            && fault.kind == FaultKind::Error
        {
            stream.events.truncate(fault.after);
            stream.events.push(stream.error);
            done = false;
        }
        let malformed = script
            .fault
            .and_then(|fault| (fault.kind == FaultKind::Malformed).then_some(fault.after));
        let mut writer = Writer::new(stream.format, script.framing);
        let content_type = HeaderValue::from_static(writer.content_type());
        let contents: Vec<bool> = stream.events.iter().map(|event| event.content).collect();
        let mut pieces: Vec<Bytes> = Vec::with_capacity(stream.events.len() + 2);
        for (place, event) in stream.events.iter().enumerate() {
            if malformed == Some(place) {
                pieces.push(writer.malformed());
            }
            pieces.push(writer.event(event));
        }
        pieces.extend(writer.end(done));
        let mut reply = Self::whole(status, content_type, pieces);
        reply.exact = false;
        let shift = malformed.unwrap_or(usize::MAX);
        reply.pace(pace, |place| {
            place != shift && contents.get(place - usize::from(place > shift)) == Some(&true)
        });
        reply
    }

    /// Delays the first piece of content by one time and the others by another.
    fn pace(&mut self, pace: Pace, is_content: impl Fn(usize) -> bool) {
        let mut after = pace.first;
        for (place, piece) in self.pieces.iter_mut().enumerate() {
            if is_content(place) {
                piece.after = after;
                after = pace.then;
            }
        }
    }

    /// Cuts the bytes anew, without regard to events. The delay of a piece stays before its first
    /// byte; bytes that share a cut with later ones wait for them.
    fn rechunk(&mut self, script: &Script) {
        let Some(size) = script.chunk_bytes else {
            return;
        };
        let mut cut: Vec<Piece> = Vec::new();
        let mut held = bytes::BytesMut::new();
        let mut after = Duration::ZERO;
        for piece in self.pieces.drain(..) {
            after += piece.after;
            held.extend_from_slice(&piece.data);
            while held.len() >= size {
                let data = held.split_to(size).freeze();
                cut.push(Piece { after, data });
                after = Duration::ZERO;
            }
        }
        if !held.is_empty() {
            let data = held.freeze();
            cut.push(Piece { after, data });
        }
        self.pieces = cut;
    }
}

impl FaultKind {
    fn end(self) -> Option<End> {
        match self {
            Self::Drop => Some(End::Broken),
            Self::End => Some(End::Clean),
            Self::Hang => Some(End::Hanging),
            Self::Malformed | Self::Error => None,
        }
    }
}
