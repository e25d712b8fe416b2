//! Tells the usage event of a stream from the others: pure, chunk by chunk.

use std::{ops::Range, sync::LazyLock};

use bytes::Bytes;

use super::familiar::Familiar;
use crate::{
    gathered::Gathered,
    json::{Mode, Scanner, Shape, Sink, Value, Want},
    sse::{Lexer, Token},
};

/// The longest beginning of an event that is kept, up to its first choice.
const LONGEST_BEGINNING: usize = 256;

/// The greatest part of an event that is held back.
pub(super) const CAP: usize = 64 << 10;

/// Passes a stream on without its usage event.
pub(super) struct Hider {
    lexer: Lexer,
    scanner: Scanner<Found>,
    seen: Seen,
    /// How events begin that have a choice.
    familiar: Familiar<(), LONGEST_BEGINNING>,
    /// The beginning of the undecided event, from earlier chunks. Put together, for each of many
    /// small chunks would keep the buffer alive that it was read into.
    held: Gathered,
    /// The last event was dropped.
    dropped: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Found {
    Choices,
    Choice,
    Usage,
    Error,
}

/// What the current event has shown.
#[derive(Default)]
struct Seen {
    choices: bool,
    usage: bool,
    /// Where its first choice begins.
    choice: Option<u64>,
    /// It is not the usage event: it has a choice or an error, cannot be read or is too large.
    settled: bool,
}

static SHAPE: LazyLock<Shape<Found>> = LazyLock::new(|| {
    Shape::new(&[
        ("choices", Found::Choices, Want::Begin),
        ("choices.*", Found::Choice, Want::Begin),
        ("usage", Found::Usage, Want::Begin),
        ("error", Found::Error, Want::Begin),
    ])
});

impl Default for Hider {
    fn default() -> Self {
        Self {
            lexer: Lexer::new(),
            scanner: Scanner::new(&SHAPE, Mode::Lenient),
            seen: Seen::default(),
            familiar: Familiar::new(),
            held: Gathered::default(),
            dropped: false,
        }
    }
}

impl Sink<Found> for Seen {
    fn begin(&mut self, found: Found, first: u8, at: u64) {
        match found {
            Found::Choices => self.choices = first == b'[',
            Found::Choice => {
                self.choice.get_or_insert(at);
                self.settled = true;
            }
            Found::Usage => self.usage = first == b'{',
            Found::Error => self.settled |= matches!(first, b'{' | b'"'),
        }
    }

    fn value(&mut self, _: Found, _: Value<'_>, _: Range<u64>) {}
}

impl Seen {
    fn is_usage(&self) -> bool {
        self.choices && self.usage && !self.settled
    }
}

impl Hider {
    /// Passes what of a chunk may pass.
    pub(super) fn sift(&mut self, chunk: Bytes, pass: &mut impl FnMut(Bytes)) {
        let mut rest = &chunk[..];
        // What may pass begins at `from`; the current event begins at `event`.
        let (mut from, mut event) = (0, 0);
        if self.is_between_events() && self.lexer.awaits_lf() && rest.starts_with(b"\n") {
            // The second half of the line ending that ended the last event shares its fate.
            event = 1;
            from = usize::from(self.dropped);
        }
        while let Some(token) = self.lexer.next(&mut rest) {
            match token {
                Token::Data(data) if !self.seen.settled => self.judge(data),
                // JSON reads the line feed between data lines as a blank.
                Token::DataLine if !self.seen.settled => self.judge(b"\n"),
                Token::Event => {
                    let end = chunk.len() - rest.len();
                    if self.seen.is_usage() && self.scanner.is_complete() {
                        pass_some(chunk.slice(from..event), pass);
                        self.held.take();
                        self.dropped = true;
                        from = end;
                    } else {
                        self.release(pass);
                        self.dropped = false;
                    }
                    self.seen = Seen::default();
                    self.scanner.reset();
                    event = end;
                }
                _ => {}
            }
        }
        let undecided = chunk.len() - event;
        if undecided == 0 && from == 0 {
            return pass_some(chunk, pass);
        }
        if !self.seen.settled && self.held.len() + undecided <= CAP {
            pass_some(chunk.slice(from..event), pass);
            if undecided > 0 {
                self.held.push(chunk.slice(event..), 0);
            }
        } else {
            // An event of which a part has passed passes whole.
            self.seen.settled = true;
            self.release(pass);
            pass_some(chunk.slice(from..), pass);
        }
    }

    /// Learns from the data of an event what it is.
    fn judge(&mut self, data: &[u8]) {
        let first = self.scanner.is_at_start();
        if first && self.familiar.recognize(data).is_some() {
            self.seen.settled = true;
            return;
        }
        self.seen.settled |= self.scanner.scan(data, &mut self.seen).is_err();
        let choice = self.seen.choice.and_then(|at| usize::try_from(at).ok());
        if first
            && let Some(beginning) = choice.and_then(|at| data.get(..=at))
            && self.familiar.is_new(beginning)
        {
            self.familiar.learn(beginning, &[], ());
        }
    }

    /// Whether anything is held back.
    pub(super) fn holds(&self) -> bool {
        !self.held.is_empty()
    }

    fn is_between_events(&self) -> bool {
        self.held.is_empty() && !self.seen.settled
    }

    /// Passes what was held back.
    pub(super) fn release(&mut self, pass: &mut impl FnMut(Bytes)) {
        pass_some(self.held.take(), pass);
    }
}

fn pass_some(bytes: Bytes, pass: &mut impl FnMut(Bytes)) {
    if !bytes.is_empty() {
        pass(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shape_is_within_bounds() {
        assert!(SHAPE.is_within_bounds());
    }
}
