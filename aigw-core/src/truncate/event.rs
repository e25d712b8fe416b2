use std::{mem, ops::Range};

use super::form::Field;
use crate::json::{Sink, Text, Value};

/// What one event has shown so far. Only once it has ended does it count: an event that is cut off
/// is read by no client.
#[derive(Debug, Default)]
pub(super) struct Event {
    pub(super) identity: Identity,
    /// The identity of the stream is known, and every event repeats it.
    pub(super) is_known: bool,
    pub(super) kind: Kind,
    pub(super) sequence: Option<u64>,
    pub(super) choices: Vec<Choice>,
    /// Outside of a choice, where the block stands and why the message ended.
    pub(super) current: Choice,
    pub(super) has_failed: bool,
}

/// What every event of a stream repeats, or the first one tells.
#[derive(Debug, Default)]
pub(super) struct Identity {
    pub(super) id: Option<Box<str>>,
    pub(super) model: Option<Box<str>>,
    pub(super) created: Option<u64>,
}

/// One of the answers that are written at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Choice {
    pub(super) index: u64,
    pub(super) is_finished: bool,
}

/// What an event says by its type.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Kind {
    #[default]
    Other,
    /// The answer begins.
    Start,
    BlockStart,
    BlockStop,
    /// The answer is over.
    End,
}

impl Event {
    /// Begins another one.
    pub(super) fn reset(&mut self) {
        let mut choices = mem::take(&mut self.choices);
        choices.clear();
        *self = Self {
            is_known: self.is_known,
            choices,
            ..Self::default()
        };
    }

    fn text(&mut self, field: Field, text: Text<'_>) {
        match field {
            Field::Type => self.kind = Kind::of(text),
            // Imitators of OpenAI write "" where it writes null.
            Field::Finish => self.current.is_finished |= !text.is_plain(""),
            Field::Id if !self.is_known => self.identity.id = word(text),
            Field::Model if !self.is_known => self.identity.model = word(text),
            _ => {}
        }
    }
}

impl Sink<Field> for Event {
    fn begin(&mut self, field: Field, first: u8, _: u64) {
        self.has_failed |= field == Field::Error && matches!(first, b'{' | b'"');
    }

    fn value(&mut self, field: Field, value: Value<'_>, _: Range<u64>) {
        match (field, value) {
            (_, Value::String(text)) => self.text(field, text),
            (Field::Choice, Value::Container) => self.choices.push(mem::take(&mut self.current)),
            (Field::Index, _) => self.current.index = value.count().unwrap_or_default(),
            (Field::Sequence, _) => self.sequence = value.count(),
            (Field::Created, _) => self.identity.created = value.count(),
            _ => {}
        }
    }
}

impl Kind {
    fn of(word: Text<'_>) -> Self {
        const KINDS: [(&str, Kind); 9] = [
            ("message_start", Kind::Start),
            ("content_block_start", Kind::BlockStart),
            ("content_block_stop", Kind::BlockStop),
            ("message_stop", Kind::End),
            ("response.created", Kind::Start),
            ("response.completed", Kind::End),
            ("response.incomplete", Kind::End),
            ("response.failed", Kind::End),
            ("error", Kind::End),
        ];
        let known = KINDS.iter().find(|(name, _)| word.is_plain(name));
        known.map_or(Self::Other, |(_, kind)| *kind)
    }
}

/// A word that says something: Azure's first chunk has an empty id and an empty model.
fn word(text: Text<'_>) -> Option<Box<str>> {
    text.decode()
        .filter(|word| !word.is_empty())
        .map(Into::into)
}
