use super::{
    Flaw, Malformed, Sink,
    buffer::Buffer,
    flat::flat_len,
    place::{self, Place},
    shape::{Leaf, Shape, Want},
    state::{Role, State},
    value::{Text, Value},
};

/// Walks JSON of one [`Shape`], chunk by chunk.
#[derive(Clone)]
pub(crate) struct Scanner<F: 'static> {
    pub(super) shape: &'static Shape<F>,
    pub(super) mode: Mode,
    pub(super) place: Place,
    /// The beginning of a token that a chunk boundary cut.
    pub(super) held: Buffer<CAP>,
    /// What is wrong with the document.
    malformed: Option<Malformed>,
}

/// The document is malformed, and the scanner knows how.
#[derive(Clone, Copy, Debug)]
pub(super) struct Broken;

/// How much is asked of the grammar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Every byte must fit RFC 8259, at most [`Scanner::MAX_DEPTH`] deep.
    Strict,
    /// Subtrees off every path are skipped by their brackets and strings alone; what follows the
    /// document is ignored.
    Lenient,
}

/// The longest value or key that is kept.
pub(super) const CAP: usize = 256;

impl<F: Copy> Scanner<F> {
    /// The longest value that a sink is told, in bytes as it stands in the document.
    #[cfg(test)]
    pub(crate) const CAP: usize = CAP;

    /// The deepest nesting of a strict document.
    pub(crate) const MAX_DEPTH: u8 = place::MAX_DEPTH;

    pub(crate) fn new(shape: &'static Shape<F>, mode: Mode) -> Self {
        Self {
            shape,
            mode,
            place: Place::start(shape.root()),
            held: Buffer::new(),
            malformed: None,
        }
    }

    /// Begins another document.
    pub(crate) fn reset(&mut self) {
        self.place.restart(self.shape.root());
        self.malformed = None;
    }

    /// Whether a whole document has been read.
    pub(crate) fn is_complete(&self) -> bool {
        match self.place.state {
            State::Done => true,
            // Only the end of input ends a number that is the whole document.
            State::Number(number) => self.place.is_outside() && number.may_end(),
            _ => false,
        }
    }

    /// Whether nothing but blanks has been seen.
    pub(crate) fn is_empty(&self) -> bool {
        self.place.state == State::Value && self.place.is_outside()
    }

    /// Whether no byte of the document has been seen.
    pub(crate) fn is_at_start(&self) -> bool {
        self.place.offset == 0
    }

    /// Reads on. After an error every further chunk is the same error.
    pub(crate) fn scan(&mut self, chunk: &[u8], sink: &mut impl Sink<F>) -> Result<(), Malformed> {
        let mut taken = 0;
        while let Some(rest) = chunk.get(taken..).filter(|rest| !rest.is_empty()) {
            let at = self.place.offset + taken as u64;
            let read = match self.place.state {
                State::Text(role, escape) => self.text(role, escape, rest, at, sink),
                State::Skip => self.skip(rest, at, sink),
                State::Number(number) => self.number(number, rest, at, sink),
                State::Literal(literal, seen) => self.literal(literal, seen, rest, at, sink),
                State::Done if self.mode == Mode::Lenient => Ok(rest.len()),
                State::Broken => Err(Broken),
                _ => self.structure(rest, at, sink),
            };
            match read {
                Ok(read) => taken += read,
                Err(Broken) => {
                    // Whoever breaks the scanner says why.
                    let flaw = Flaw::Syntax;
                    return Err(self.malformed.unwrap_or(Malformed { at, flaw }));
                }
            }
        }
        self.place.offset += chunk.len() as u64;
        Ok(())
    }

    /// Structure and tokens that are whole, up to one that a state of its own reads on.
    fn structure(
        &mut self,
        rest: &[u8],
        begin: u64,
        sink: &mut impl Sink<F>,
    ) -> Result<usize, Broken> {
        let mut taken = 0;
        while let Some(&byte) = rest.get(taken) {
            let at = begin + taken as u64;
            match (self.place.state, byte) {
                (State::After, b',') => self.expect_next(),
                (State::Key | State::FirstKey, b'"') => {
                    taken += self.members(after(rest, taken), at, sink)?;
                    continue;
                }
                (State::Value | State::FirstElement, b'"') => {
                    let role = self.begin_value(byte, at, sink);
                    taken += self.begin_text(role, after(rest, taken + 1), at + 1, sink)?;
                }
                (State::After | State::FirstKey, b'}') if self.place.in_object() => {
                    self.close(at, sink);
                }
                (State::After | State::FirstElement, b']') if !self.place.in_object() => {
                    self.close(at, sink);
                }
                (State::Colon, b':') => self.place.state = State::Value,
                (State::Value | State::FirstElement, b'{' | b'[') => {
                    self.begin_value(byte, at, sink);
                    self.open(byte == b'{', at)?;
                }
                (State::Text(..) | State::Number(_) | State::Literal(..), _)
                | (State::Skip | State::Broken, _) => break,
                (State::Done, _) if self.mode == Mode::Lenient => break,
                (_, b' ' | b'\t' | b'\n' | b'\r') => {}
                (State::Value | State::FirstElement, _) => {
                    self.begin_value(byte, at, sink);
                    taken += self.begin_scalar(byte, after(rest, taken), at, sink)?;
                    continue;
                }
                _ => return Err(self.fail(at, Flaw::Syntax)),
            }
            taken += 1;
        }
        Ok(taken)
    }

    /// Tells that a value begins; answers what it is read for if it is a string.
    #[inline(always)]
    pub(super) fn begin_value(&mut self, byte: u8, at: u64, sink: &mut impl Sink<F>) -> Role {
        self.place.began = at;
        let Some(Leaf { field, want }) = self.leaf() else {
            return Role::Nothing;
        };
        if want == Want::Begin {
            sink.begin(field, byte, at);
        }
        match want {
            Want::Length => Role::Length,
            _ => Role::Value,
        }
    }

    fn open(&mut self, object: bool, at: u64) -> Result<(), Broken> {
        let path = self.place.node.filter(|node| self.shape.goes_on(*node));
        if path.is_none() && self.mode == Mode::Lenient {
            self.place.skipped = 1;
            self.place.state = State::Skip;
            return Ok(());
        }
        // A leaf that is a container is followed as well, so that its end is told.
        let followed = path.or_else(|| self.place.node.filter(|_| self.leaf().is_some()));
        if !self.place.open(object, followed, at) {
            return Err(self.fail(at, Flaw::TooDeep));
        }
        if object {
            self.place.state = State::FirstKey;
        } else {
            self.place.state = State::FirstElement;
            self.expect_element();
        }
        Ok(())
    }

    fn close(&mut self, at: u64, sink: &mut impl Sink<F>) {
        self.place.close();
        self.end_with(Value::Container, at + 1, sink);
    }

    /// Passes over a subtree that no path enters, minding nothing but strings and brackets.
    fn skip(&mut self, rest: &[u8], at: u64, sink: &mut impl Sink<F>) -> Result<usize, Broken> {
        let mut taken = 0;
        while self.place.state == State::Skip {
            taken += flat_len(after(rest, taken));
            let Some(byte) = rest.get(taken) else {
                break;
            };
            taken += 1;
            let here = at + taken as u64;
            match byte {
                b'"' => {
                    taken += self.begin_text(Role::Nothing, after(rest, taken), here, sink)?;
                }
                b'{' | b'[' => self.place.skipped += 1,
                _ => {
                    self.place.skipped -= 1;
                    if self.place.skipped == 0 {
                        self.end_with(Value::Container, here, sink);
                    }
                }
            }
        }
        Ok(taken)
    }

    /// Ends the current value; answers the field to tell it under.
    pub(super) fn end_value(&mut self) -> Option<F> {
        self.place.end_value();
        self.leaf()
            .filter(|leaf| leaf.want != Want::Length)
            .map(|leaf| leaf.field)
    }

    /// Ends a value that is told as it stands.
    pub(super) fn end_with(&mut self, value: Value<'_>, end: u64, sink: &mut impl Sink<F>) {
        if let Some(field) = self.end_value() {
            sink.value(field, value, self.place.began..end);
        }
    }

    #[inline]
    pub(super) fn expect_member(&mut self, key: Text<'_>, at: u64) -> Result<(), Broken> {
        self.place.state = State::Colon;
        self.place.node = match self.place.container() {
            None => None,
            Some(container) if !key.is_escaped() => self.shape.child(container, key.raw()),
            Some(container) => key
                .decode()
                .and_then(|key| self.shape.child(container, key.as_bytes())),
        };
        self.check_repetition(at)
    }

    /// Whether the key that has been read, up to `at`, may stand here.
    #[inline]
    pub(super) fn check_repetition(&mut self, at: u64) -> Result<(), Broken> {
        if self.mode == Mode::Strict
            && let Some(node) = self.place.node
            && self.place.repeats(self.shape.bit_if_once(node))
        {
            return Err(self.fail(at, Flaw::Twice(self.shape.key(node))));
        }
        Ok(())
    }

    /// After a comma.
    #[inline]
    fn expect_next(&mut self) {
        if self.place.in_object() {
            self.place.state = State::Key;
        } else {
            self.place.state = State::Value;
            self.expect_element();
        }
    }

    fn expect_element(&mut self) {
        self.place.node = self
            .place
            .container()
            .and_then(|container| self.shape.elements(container));
    }

    #[cold]
    pub(super) fn fail(&mut self, at: u64, flaw: Flaw) -> Broken {
        self.malformed = Some(Malformed { at, flaw });
        self.place.state = State::Broken;
        Broken
    }

    #[inline]
    pub(super) fn leaf(&self) -> Option<Leaf<F>> {
        self.shape.leaf(self.place.node?)
    }
}

#[inline]
pub(super) fn after(rest: &[u8], taken: usize) -> &[u8] {
    rest.get(taken..).unwrap_or_default()
}
