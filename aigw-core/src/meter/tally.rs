use std::ops::Range;

use super::{FinishReason, InBandError, Meter};
use crate::{
    dialect::{Field, Tokens},
    json::{Sink, Text, Value},
    usage::{Kind, Usage},
};

/// What must be remembered between fields to bring counts into the normal form.
#[derive(Clone, Debug, Default)]
pub(super) struct Shares {
    rest_of_input: Option<u64>,
    rest_of_output: Option<u64>,
    beside: Usage,
}

impl Shares {
    /// Enters a reported count.
    fn state(&mut self, usage: &mut Usage, tokens: Tokens, count: u64) {
        match tokens {
            Tokens::Of(kind) => return usage.set(kind, count),
            Tokens::Rest(Kind::Output) => self.rest_of_output = Some(count),
            Tokens::Rest(_) => self.rest_of_input = Some(count),
            Tokens::Beside(kind) => {
                self.beside.set(kind, count);
                usage.set(kind, count);
            }
        }
        // Google leaves a count of zero away: an answer that was thinking alone has no rest.
        let whole = |rest: Option<u64>, beside: &[Kind]| {
            let parts = beside.iter().filter_map(|kind| self.beside.get(*kind));
            rest.into_iter().chain(parts).reduce(u64::saturating_add)
        };
        let parts_of_input = [Kind::CachedInput, Kind::CacheWrite, Kind::ToolInput];
        if let Some(input) = whole(self.rest_of_input, &parts_of_input) {
            usage.set(Kind::Input, input);
        }
        if let Some(output) = whole(self.rest_of_output, &[Kind::Reasoning]) {
            usage.set(Kind::Output, output);
        }
    }
}

/// Writes what the scanner finds into the meter.
pub(super) struct Tally<'m> {
    pub(super) meter: &'m mut Meter,
    pub(super) shares: &'m mut Shares,
    /// Choices that gave a reason to stop.
    pub(super) finished: &'m mut u64,
    /// Event types that end a stream.
    pub(super) terminal: &'static [&'static str],
    pub(super) terminated: &'m mut bool,
    /// The answer is one document, not a stream of them.
    pub(super) whole: bool,
    pub(super) news: &'m mut News,
}

/// The values that have changed anything in the meter, or would have in another state of it. A
/// model that is the known one has not.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct News {
    /// Where the first of them began.
    pub(super) first: Option<u64>,
    /// Whether there was another one, or another piece of it.
    pub(super) more: bool,
}

impl News {
    fn note(&mut self, began: u64) {
        self.more = self.first.is_some();
        self.first.get_or_insert(began);
    }
}

impl Sink<Field> for Tally<'_> {
    fn begin(&mut self, field: Field, first: u8, at: u64) {
        if field == Field::Error && matches!(first, b'{' | b'"') {
            self.news.note(at);
            self.meter.error.get_or_insert_default();
        }
    }

    fn value(&mut self, field: Field, value: Value<'_>, span: Range<u64>) {
        match (field, value) {
            (_, Value::Null) => return,
            // Every chunk of a stream repeats them.
            (Field::Model, Value::String(text))
                if self
                    .meter
                    .model
                    .as_deref()
                    .is_some_and(|model| text.is_plain(model)) =>
            {
                return;
            }
            (Field::EventType, Value::String(text)) if !self.is_decisive(text) => return,
            _ => {
                self.news.note(span.start);
            }
        }
        match (field, value) {
            (Field::Tokens(tokens), _) => {
                if let Some(count) = value.count() {
                    self.shares.state(&mut self.meter.usage, tokens, count);
                }
            }
            (Field::Error, Value::String(text)) => {
                let error = self.meter.error.get_or_insert_default();
                error.message = text.decode().map(Into::into);
            }
            (_, Value::String(text)) => {
                if let Some(text) = text.decode() {
                    self.text(field, &text);
                }
            }
            (Field::Content, Value::Container) => {
                self.meter.content_bytes += span.end - span.start;
            }
            (Field::ErrorCode, Value::Number(digits)) => {
                let code = String::from_utf8_lossy(digits);
                self.error_part(|error| &mut error.code, &code);
            }
            _ => {}
        }
    }

    fn length(&mut self, field: Field, bytes: u64, began: u64) {
        match field {
            Field::WholeContent if !self.whole => return,
            Field::Media => self.meter.media_bytes += bytes,
            _ => self.meter.content_bytes += bytes,
        }
        self.news.note(began);
    }
}

impl Tally<'_> {
    /// Whether an event of this type says by that alone that the stream is over or has failed.
    fn is_decisive(&self, kind: Text<'_>) -> bool {
        kind.is_escaped()
            || kind.is_plain("error")
            || self.terminal.iter().any(|word| kind.is_plain(word))
    }

    fn text(&mut self, field: Field, text: &str) {
        match field {
            Field::Model if text.is_empty() => {}
            Field::Model => self.meter.model = Some(text.into()),
            // Imitators of OpenAI write "" where it writes null; the others are no end, or an end
            // whose reason stands elsewhere.
            Field::Finish if !matches!(text, "" | "in_progress" | "queued" | "incomplete") => {
                self.meter.finish = Some(FinishReason::from_word(text));
                *self.finished += 1;
            }
            Field::EventType => {
                if text == "error" {
                    self.meter.error.get_or_insert_default();
                }
                *self.terminated |= self.terminal.contains(&text);
            }
            Field::ErrorCode => self.error_part(|error| &mut error.code, text),
            Field::ErrorMessage => self.error_part(|error| &mut error.message, text),
            _ => {}
        }
    }

    fn error_part(&mut self, part: fn(&mut InBandError) -> &mut Option<Box<str>>, text: &str) {
        if let Some(error) = &mut self.meter.error {
            part(error).get_or_insert_with(|| text.into());
        }
    }
}
