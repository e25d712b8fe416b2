//! Strings, numbers and literals, which a chunk boundary may cut anywhere.

use super::{
    Flaw, Scanner, Sink,
    number::Number,
    scanner::{Broken, CAP},
    shape::Leaf,
    state::{Literal, Role, State},
    text::{Escape, plain_len},
    value::{Text, Value},
};

impl<F: Copy> Scanner<F> {
    /// Reads a string from behind its opening quote; answers how many bytes of `rest` it took.
    #[inline(always)]
    pub(super) fn begin_text(
        &mut self,
        role: Role,
        rest: &[u8],
        at: u64,
        sink: &mut impl Sink<F>,
    ) -> Result<usize, Broken> {
        let len = plain_len(rest, self.mode);
        // Most strings stand whole in their chunk and have no escape.
        if let Some((plain, [b'"', ..])) = rest.split_at_checked(len) {
            if role == Role::Length {
                self.tell_length(len as u64, sink);
            }
            self.end_text(role, Some(Text::plain(plain)), at + len as u64 + 1, sink)?;
            return Ok(len + 1);
        }
        self.held.clear();
        self.text(role, Escape::None, rest, at, sink)
    }

    /// Reads on in a string.
    pub(super) fn text(
        &mut self,
        role: Role,
        mut escape: Escape,
        rest: &[u8],
        at: u64,
        sink: &mut impl Sink<F>,
    ) -> Result<usize, Broken> {
        let run = match escape.read(rest, self.mode) {
            Ok(run) => run,
            Err(len) => return Err(self.fail(at + len as u64, Flaw::Syntax)),
        };
        if role == Role::Length {
            self.tell_length(run.meaning, sink);
        }
        let kept = matches!(role, Role::Key | Role::Value);
        let raw = rest.get(..run.len).filter(|_| kept).unwrap_or_default();
        if !run.ended {
            self.held.push(raw);
            self.place.state = State::Text(role, escape);
            return Ok(run.len);
        }
        let end = at + run.len as u64 + 1;
        if kept && !self.held.is_empty() {
            self.held.push(raw);
            let held = self.held.clone();
            self.end_text(role, held.get().map(Text::new), end, sink)?;
        } else {
            self.end_text(role, Some(Text::new(raw)), end, sink)?;
        }
        Ok(run.len + 1)
    }

    #[inline(always)]
    fn tell_length(&mut self, bytes: u64, sink: &mut impl Sink<F>) {
        if bytes > 0
            && let Some(Leaf { field, .. }) = self.leaf()
        {
            sink.length(field, bytes, self.place.began);
        }
    }

    /// A string has ended. `text` is what it was where that is needed, and `None` where that was
    /// too long to be held.
    #[inline(always)]
    fn end_text(
        &mut self,
        role: Role,
        text: Option<Text<'_>>,
        end: u64,
        sink: &mut impl Sink<F>,
    ) -> Result<(), Broken> {
        match role {
            Role::Key => {
                // A key that is too long to be held is none of the shape's.
                let key = match text {
                    Some(key) if key.len() <= CAP => key,
                    _ => Text::plain(b""),
                };
                return self.expect_member(key, end);
            }
            Role::ForeignKey => {
                self.place.node = None;
                self.place.state = State::Colon;
            }
            Role::Value => {
                let value = match text {
                    Some(text) if text.len() <= CAP => Value::String(text),
                    _ => Value::TooLong,
                };
                self.end_with(value, end, sink);
            }
            Role::Length | Role::Nothing if self.place.skipped > 0 => {
                self.place.state = State::Skip;
            }
            Role::Length | Role::Nothing => self.place.end_value(),
        }
        Ok(())
    }

    /// Reads a number or a literal, which `rest` begins with.
    pub(super) fn begin_scalar(
        &mut self,
        byte: u8,
        rest: &[u8],
        at: u64,
        sink: &mut impl Sink<F>,
    ) -> Result<usize, Broken> {
        let literal = match byte {
            b't' => Literal::True,
            b'f' => Literal::False,
            b'n' => Literal::Null,
            _ => {
                self.held.clear();
                let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
                // Most numbers are whole, in every sense.
                if (byte != b'0' || digits == 1)
                    && digits > 0
                    && matches!(rest.get(digits), Some(b',' | b'}' | b']'))
                {
                    self.end_number(rest.get(..digits).unwrap_or_default(), at, sink);
                    return Ok(digits);
                }
                return self.number(Number::Start, rest, at, sink);
            }
        };
        self.literal(literal, 0, rest, at, sink)
    }

    pub(super) fn number(
        &mut self,
        mut number: Number,
        rest: &[u8],
        at: u64,
        sink: &mut impl Sink<F>,
    ) -> Result<usize, Broken> {
        let mut taken = 0;
        for byte in rest {
            if !(byte.is_ascii_digit() && number.goes_on()) {
                match number.step(*byte) {
                    Some(next) => number = next,
                    None if number.may_end() => {
                        self.end_number(rest.get(..taken).unwrap_or_default(), at, sink);
                        return Ok(taken);
                    }
                    None => return Err(self.fail(at + taken as u64, Flaw::Syntax)),
                }
            }
            taken += 1;
        }
        self.held.push(rest);
        self.place.state = State::Number(number);
        Ok(taken)
    }

    /// A number has ended, of which `raw` stands in this chunk.
    fn end_number(&mut self, raw: &[u8], at: u64, sink: &mut impl Sink<F>) {
        let Some(field) = self.end_value() else {
            return;
        };
        let span = self.place.began..at + raw.len() as u64;
        let digits = if self.held.is_empty() {
            Some(raw).filter(|raw| raw.len() <= CAP)
        } else {
            self.held.push(raw);
            self.held.get()
        };
        sink.value(field, digits.map_or(Value::TooLong, Value::Number), span);
    }

    pub(super) fn literal(
        &mut self,
        literal: Literal,
        seen: u8,
        rest: &[u8],
        at: u64,
        sink: &mut impl Sink<F>,
    ) -> Result<usize, Broken> {
        let (word, value): (&[u8], _) = match literal {
            Literal::True => (b"true", Value::Bool(true)),
            Literal::False => (b"false", Value::Bool(false)),
            Literal::Null => (b"null", Value::Null),
        };
        let expected = word.get(usize::from(seen)..).unwrap_or_default();
        if rest.starts_with(expected) {
            self.end_with(value, at + expected.len() as u64, sink);
            return Ok(expected.len());
        }
        let len = expected.len().min(rest.len());
        let same = expected
            .iter()
            .zip(rest)
            .take_while(|(expected, byte)| expected == byte);
        let same = same.count();
        if same < len {
            return Err(self.fail(at + same as u64, Flaw::Syntax));
        }
        self.place.state = State::Literal(literal, seen.saturating_add(len as u8));
        Ok(len)
    }
}
