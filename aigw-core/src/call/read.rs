//! Reads a JSON request body into a [`Call`]: pure, one pass, no copy.

use std::{ops::Range, sync::Arc};

use bytes::Bytes;

use super::{
    Call, LongString, Part, PartKind, Record,
    budget::Hold,
    call::{Layout, Options, View},
};
use crate::{
    dialect::{Asked, Target, asked},
    json::{Flaw, Malformed, Mode, Scanner, Sink, Value},
    reject::{Reason, Refusal},
};

impl Call {
    /// Reads the whole body of a request to `target`.
    ///
    /// # Errors
    ///
    /// Refuses a body that is not one JSON object in UTF-8 nested at most 127 deep, that names a
    /// deciding key twice in one object, that gives `model` or `stream` another type than theirs,
    /// whose prompt has more than 65,536 pieces, or that names no model where one is needed.
    pub fn parse(target: Target, body: Bytes, record: Arc<Record>) -> Result<Self, Refusal> {
        Self::parse_held(target, body, record, None)
    }

    pub(super) fn parse_held(
        target: Target,
        body: Bytes,
        record: Arc<Record>,
        hold: Option<Hold>,
    ) -> Result<Self, Refusal> {
        let mut reader = Reader {
            body: &body,
            view: View::default(),
            layout: Layout::default(),
            flaw: None,
        };
        if target.operation().has_json_body() {
            reader.read(&target)?;
        }
        let Reader { view, layout, .. } = reader;
        if target.operation().needs_model()
            && target
                .path_model()
                .or(view.model.as_deref())
                .is_none_or(str::is_empty)
        {
            return Err(Refusal::new(
                Reason::MissingModel,
                "the request names no `model`",
            ));
        }
        Ok(Self::buffered(target, record, view, layout, body, hold))
    }
}

/// The greatest number of pieces of a prompt. The largest batches that any provider takes have a few
/// thousand; without a bound, pieces of one byte would take many times the room of the body.
const MAX_PARTS: usize = 1 << 16;

struct Reader<'b> {
    body: &'b [u8],
    view: View,
    layout: Layout,
    /// What is wrong with the body although it is JSON, and with which parameter.
    flaw: Option<(Option<&'static str>, &'static str)>,
}

impl Reader<'_> {
    fn read(&mut self, target: &Target) -> Result<(), Refusal> {
        if !self.body.is_ascii()
            && let Err(error) = std::str::from_utf8(self.body)
        {
            let at = error.valid_up_to();
            return Err(not_json(format!(
                "the request body is not UTF-8 (byte {at})"
            )));
        }
        let shape = asked(target.dialect(), target.operation());
        let mut scanner = Scanner::new(shape, Mode::Strict);
        scanner.scan(self.body, self).map_err(malformed)?;
        if !scanner.is_complete() {
            return Err(not_json(if scanner.is_empty() {
                "the request has no body, and this operation needs a JSON object".into()
            } else {
                "the request body ends in the middle of its JSON".into()
            }));
        }
        if self.body.trim_ascii_start().first() != Some(&b'{') {
            return Err(not_json(
                "the request body is JSON, but not an object".into(),
            ));
        }
        match self.flaw {
            Some((param, message)) => {
                let refusal = Refusal::new(Reason::InvalidRequest, message);
                Err(match param {
                    Some(param) => refusal.param(param),
                    None => refusal,
                })
            }
            None => Ok(()),
        }
    }

    fn part(&mut self, kind: PartKind, span: Range<usize>) {
        if self.layout.parts.len() < MAX_PARTS {
            self.layout.parts.push(Part { kind, span });
        } else {
            let message = "the prompt has more than 65536 messages, inputs or parts";
            self.flaw = Some((None, message));
        }
    }

    /// Whether an object that begins just before `start` has no member.
    fn is_empty_object(&self, start: usize) -> bool {
        let rest = self.body.get(start..).unwrap_or_default();
        rest.trim_ascii_start().first() == Some(&b'}')
    }
}

impl Sink<Asked> for Reader<'_> {
    fn begin(&mut self, field: Asked, first: u8, at: u64) {
        if first != b'{' {
            if field == Asked::StreamOptions {
                self.layout.anchors.stream_options = Some(Options::Foreign);
            }
            return;
        }
        let start = position(at) + 1;
        let empty = self.is_empty_object(start);
        let anchors = &mut self.layout.anchors;
        match field {
            Asked::Document => (anchors.start, anchors.empty) = (start, empty),
            Asked::StreamOptions => anchors.stream_options = Some(Options::Object { start, empty }),
            _ => {}
        }
    }

    fn long_string(&mut self, span: Range<u64>, bytes: u64, has_codes: bool) {
        self.layout.long_strings.push(LongString {
            span: position(span.start)..position(span.end),
            bytes: position(bytes),
            has_codes,
        });
    }

    fn value(&mut self, field: Asked, value: Value<'_>, span: Range<u64>) {
        let span = position(span.start)..position(span.end);
        let (view, layout) = (&mut self.view, &mut self.layout);
        match (field, value) {
            (Asked::Model, Value::String(text)) => {
                view.model = text.decode().map(Into::into);
                if view.model.is_none() {
                    self.flaw = Some((Some("model"), "`model` must be Unicode"));
                }
                layout.anchors.model = Some(span);
            }
            (Asked::Model, Value::TooLong) => {
                self.flaw = Some((Some("model"), "`model` is longer than any model's name"));
            }
            (Asked::Model, _) => self.flaw = Some((Some("model"), "`model` must be a string")),
            (Asked::Stream, Value::Bool(stream)) => view.stream = stream,
            (Asked::Stream, Value::Null) => {}
            (Asked::Stream, _) => {
                self.flaw = Some((Some("stream"), "`stream` must be true or false"))
            }
            (Asked::StreamOptions, Value::Null) => {
                layout.anchors.stream_options = Some(Options::Null(span));
            }
            (Asked::IncludeUsage, Value::Bool(_) | Value::Null) => {
                view.asks_usage = Some(value == Value::Bool(true));
                layout.anchors.include_usage = Some(span);
            }
            (Asked::IncludeUsage, _) => layout.anchors.stream_options = Some(Options::Foreign),
            // Two spellings of the cap may stand side by side: the larger one binds nobody too
            // tightly.
            (Asked::OutputCap, _) => view.output_cap = view.output_cap.max(value.count()),
            (Asked::Choices, _) => view.choices = value.count().or(view.choices),
            (Asked::BestOf, _) => view.best_of = value.count().or(view.best_of),
            (Asked::User, Value::String(text)) => {
                view.user = text.decode().map(Into::into).or_else(|| view.user.take());
            }
            (Asked::PreviousResponse, Value::String(text)) => {
                view.previous_response = text.decode().map(Into::into);
            }
            (Asked::InputOrList, Value::String(_) | Value::TooLong) => {
                self.part(PartKind::Input, span);
            }
            (Asked::Part(kind), _) if value != Value::Null => self.part(kind, span),
            _ => {}
        }
    }
}

fn position(at: u64) -> usize {
    usize::try_from(at).unwrap_or(usize::MAX)
}

fn not_json(message: String) -> Refusal {
    Refusal::new(Reason::InvalidJson, message)
}

fn malformed(Malformed { at, flaw }: Malformed) -> Refusal {
    match flaw {
        Flaw::Syntax => not_json(format!("the request body is not JSON (byte {at})")),
        Flaw::TooDeep => not_json(format!(
            "the request body is nested more than {} deep (byte {at})",
            Scanner::<Asked>::MAX_DEPTH
        )),
        Flaw::Twice(key) => Refusal::new(
            Reason::InvalidRequest,
            format!("the request body has `{key}` twice in one object (byte {at})"),
        )
        .param(key),
    }
}
