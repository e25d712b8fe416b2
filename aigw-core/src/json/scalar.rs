//! Strings, numbers and literals, which a chunk boundary may cut anywhere.

use super::{
    Flaw,
    machine::{Broken, CAP, Listener, Machine, Rest},
    number::Number,
    sink::LONG,
    state::{Literal, Role, State},
    text::{Escape, plain_len},
    tree::Leaf,
    value::{Text, Value},
};

impl Machine {
    /// Reads a string from behind its opening quote.
    #[inline(always)]
    pub(super) fn begin_text<'c>(
        &mut self,
        role: Role,
        rest: &'c [u8],
        sink: &mut Listener<'_>,
    ) -> Rest<'c> {
        // Most strings stand whole in their chunk and have no escape.
        if let Some((plain, [b'"', behind @ ..])) = rest.split_at_checked(plain_len(rest)) {
            if role == Role::Length {
                self.tell_length(plain.len() as u64, sink);
            }
            if plain.len() >= LONG && role.is_of_value() {
                self.tell_long(plain.len(), plain.len() as u64, false, rest, sink);
            }
            self.end_text(role, Some(Text::plain(plain)), behind, sink)?;
            return Ok(behind);
        }
        self.held.clear();
        self.text(role, Escape::None, rest, sink)
    }

    /// Reads on in a string.
    pub(super) fn text<'c>(
        &mut self,
        role: Role,
        mut escape: Escape,
        rest: &'c [u8],
        sink: &mut Listener<'_>,
    ) -> Rest<'c> {
        let run = match escape.read(rest, self.mode) {
            Ok(run) => run,
            Err(len) => {
                let flawed = rest.get(len..).unwrap_or_default();
                return Err(self.fail(flawed, Flaw::Syntax));
            }
        };
        if role == Role::Length {
            self.tell_length(run.meaning, sink);
        }
        let kept = matches!(role, Role::Key | Role::Value);
        let raw = run.raw;
        if !run.ended {
            if kept {
                self.held.push(raw);
            }
            self.place.state = State::Text(role, escape);
            return Ok(&[]);
        }
        let is_whole = !matches!(self.place.state, State::Text(..));
        if is_whole && raw.len() >= LONG && role.is_of_value() {
            self.tell_long(raw.len(), run.meaning, run.has_codes, rest, sink);
        }
        let behind = rest.get(raw.len() + 1..).unwrap_or_default();
        if kept && !self.held.is_empty() {
            self.held.push(raw);
            let held = self.held.clone();
            self.end_text(role, held.get().map(Text::new), behind, sink)?;
        } else {
            self.end_text(role, Some(Text::new(raw)), behind, sink)?;
        }
        Ok(behind)
    }

    /// A long string of so many bytes has ended, whose text `rest` begins with.
    fn tell_long(
        &self,
        written: usize,
        meaning: u64,
        has_codes: bool,
        rest: &[u8],
        sink: &mut Listener<'_>,
    ) {
        let begin = self.at(rest);
        let span = begin - 1..begin + written as u64 + 1;
        sink.long_string(span, meaning, has_codes);
    }

    #[inline]
    fn tell_length(&mut self, bytes: u64, sink: &mut Listener<'_>) {
        if bytes > 0
            && let Some(Leaf { field, .. }) = self.leaf()
        {
            sink.length(field, bytes, self.place.began);
        }
    }

    /// A string has ended, in front of `behind`. `text` is what it was where that is needed, and
    /// `None` where that was too long to be held.
    #[inline(always)]
    fn end_text(
        &mut self,
        role: Role,
        text: Option<Text<'_>>,
        behind: &[u8],
        sink: &mut Listener<'_>,
    ) -> Result<(), Broken> {
        match role {
            Role::Key => {
                // A key that is too long to be held is none of the shape's.
                let key = match text {
                    Some(key) if key.len() <= CAP => key,
                    _ => Text::plain(b""),
                };
                return self.expect_member(key, behind);
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
                self.end_with(value, behind, sink);
            }
            Role::Length | Role::Nothing if self.place.skipped > 0 => {
                self.place.state = State::Skip;
            }
            Role::Length | Role::Nothing => self.place.end_value(),
        }
        Ok(())
    }

    /// Reads a number or a literal, which `rest` begins with.
    #[inline]
    pub(super) fn begin_scalar<'c>(&mut self, rest: &'c [u8], sink: &mut Listener<'_>) -> Rest<'c> {
        match rest {
            [b't', ..] => self.literal(Literal::True, 0, rest, sink),
            [b'f', ..] => self.literal(Literal::False, 0, rest, sink),
            [b'n', ..] => self.literal(Literal::Null, 0, rest, sink),
            [first, ..] => {
                self.held.clear();
                let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
                // Most numbers are whole, in every sense.
                if let Some((raw, behind @ [b',' | b'}' | b']', ..])) =
                    rest.split_at_checked(digits)
                    && (digits == 1 || digits > 1 && *first != b'0')
                {
                    self.end_number(raw, behind, sink);
                    return Ok(behind);
                }
                self.number(Number::Start, rest, sink)
            }
            [] => Ok(rest),
        }
    }

    pub(super) fn number<'c>(
        &mut self,
        mut number: Number,
        rest: &'c [u8],
        sink: &mut Listener<'_>,
    ) -> Rest<'c> {
        let mut behind = rest;
        while let [byte, next @ ..] = behind {
            if !(byte.is_ascii_digit() && number.goes_on()) {
                match number.step(*byte) {
                    Some(stepped) => number = stepped,
                    None if number.may_end() => {
                        let taken = rest.len() - behind.len();
                        self.end_number(rest.get(..taken).unwrap_or_default(), behind, sink);
                        return Ok(behind);
                    }
                    None => return Err(self.fail(behind, Flaw::Syntax)),
                }
            }
            behind = next;
        }
        self.held.push(rest);
        self.place.state = State::Number(number);
        Ok(&[])
    }

    /// A number has ended, in front of `behind`, of which `raw` stands in this chunk.
    fn end_number(&mut self, raw: &[u8], behind: &[u8], sink: &mut Listener<'_>) {
        let Some(field) = self.end_value() else {
            return;
        };
        let span = self.place.began..self.at(behind);
        let digits = if self.held.is_empty() {
            Some(raw).filter(|raw| raw.len() <= CAP)
        } else {
            self.held.push(raw);
            self.held.get()
        };
        sink.value(field, digits.map_or(Value::TooLong, Value::Number), span);
    }

    pub(super) fn literal<'c>(
        &mut self,
        literal: Literal,
        seen: u8,
        rest: &'c [u8],
        sink: &mut Listener<'_>,
    ) -> Rest<'c> {
        let (word, value): (&[u8], _) = match literal {
            Literal::True => (b"true", Value::Bool(true)),
            Literal::False => (b"false", Value::Bool(false)),
            Literal::Null => (b"null", Value::Null),
        };
        let expected = word.get(usize::from(seen)..).unwrap_or_default();
        let same = expected
            .iter()
            .zip(rest)
            .take_while(|(expected, byte)| expected == byte)
            .count();
        let behind = rest.get(same..).unwrap_or_default();
        if same == expected.len() {
            self.end_with(value, behind, sink);
        } else if behind.is_empty() {
            self.place.state = State::Literal(literal, seen + same as u8);
        } else {
            return Err(self.fail(behind, Flaw::Syntax));
        }
        Ok(behind)
    }
}
