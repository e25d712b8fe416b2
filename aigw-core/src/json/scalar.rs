//! Strings, numbers and literals, which a chunk boundary may cut anywhere.

use super::{
    Flaw, Malformed, Scanner, Sink,
    number::Number,
    shape::Leaf,
    state::{Literal, Role, State},
    text::{Escape, Step, plain_len},
    value::{Text, Value},
};

impl<F: Copy> Scanner<F> {
    pub(super) fn text(
        &mut self,
        role: Role,
        mut escape: Escape,
        rest: &[u8],
        at: u64,
        sink: &mut impl Sink<F>,
    ) -> Result<usize, Malformed> {
        let mut taken = 0;
        let mut length = 0;
        let mut ended = false;
        while let Some(left) = rest.get(taken..).filter(|left| !left.is_empty() && !ended) {
            let plain = match escape {
                Escape::None => plain_len(left),
                _ => 0,
            };
            let (mut bytes, mut meaning) = (plain, plain as u64);
            if let Some(&byte) = left.get(plain) {
                match escape.step(byte, self.mode) {
                    Step::Escaped(more) => (bytes, meaning) = (plain + 1, meaning + more),
                    Step::End => ended = true,
                    Step::Bad => {
                        return Err(Malformed {
                            at: at + (taken + plain) as u64,
                            flaw: Flaw::Syntax,
                        });
                    }
                }
            }
            match role {
                Role::Key | Role::Value => self.held.push(left.get(..bytes).unwrap_or_default()),
                Role::Length => length += meaning,
                Role::ForeignKey | Role::Nothing => {}
            }
            taken += bytes;
        }
        if length > 0
            && let Some(Leaf { field, .. }) = self.leaf()
        {
            sink.length(field, length);
        }
        if ended {
            taken += 1;
            self.end_text(role, at + taken as u64, sink)?;
        } else {
            self.state = State::Text(role, escape);
        }
        Ok(taken)
    }

    fn end_text(&mut self, role: Role, end: u64, sink: &mut impl Sink<F>) -> Result<(), Malformed> {
        match role {
            Role::Key => {
                let held = self.held.clone();
                let key = held.get().and_then(|key| Text(key).decode());
                // A key that is too long to be held is none of the shape's.
                return self.expect_member(key.unwrap_or_default().as_bytes(), end);
            }
            Role::ForeignKey => {
                self.node = None;
                self.state = State::Colon;
            }
            _ if self.skipped > 0 => self.state = State::Skip,
            _ => {
                if let Some(field) = self.end_value() {
                    let text = self.held.get();
                    let value = text.map_or(Value::TooLong, |text| Value::String(Text(text)));
                    sink.value(field, value, self.began..end);
                }
            }
        }
        Ok(())
    }

    pub(super) fn number(
        &mut self,
        mut number: Number,
        rest: &[u8],
        at: u64,
        sink: &mut impl Sink<F>,
    ) -> Result<usize, Malformed> {
        let mut taken = 0;
        for byte in rest {
            if byte.is_ascii_digit() && number.goes_on() {
                taken += 1;
                continue;
            }
            match number.step(*byte) {
                Some(next) => number = next,
                None if number.may_end() => {
                    self.held.push(rest.get(..taken).unwrap_or_default());
                    if let Some(field) = self.end_value() {
                        let value = self.held.get().map_or(Value::TooLong, Value::Number);
                        sink.value(field, value, self.began..at + taken as u64);
                    }
                    return Ok(taken);
                }
                None => {
                    return Err(Malformed {
                        at: at + taken as u64,
                        flaw: Flaw::Syntax,
                    });
                }
            }
            taken += 1;
        }
        self.held.push(rest);
        self.state = State::Number(number);
        Ok(taken)
    }

    pub(super) fn literal(
        &mut self,
        literal: Literal,
        seen: u8,
        rest: &[u8],
        at: u64,
        sink: &mut impl Sink<F>,
    ) -> Result<usize, Malformed> {
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
            return Err(Malformed {
                at: at + same as u64,
                flaw: Flaw::Syntax,
            });
        }
        self.state = State::Literal(literal, seen.saturating_add(len as u8));
        Ok(len)
    }
}
