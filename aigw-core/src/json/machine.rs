use super::{
    Flaw, Malformed, Mode,
    buffer::Buffer,
    flat::flat_len,
    place::Place,
    shape::Want,
    sink::Sink,
    state::{Role, State},
    tree::{FieldId, Leaf, Tree},
    value::{Text, Value},
};

/// What a [`Scanner`](super::Scanner) is without the types of its fields: the same code reads
/// requests and answers.
///
/// Its parts take what is left of the chunk and answer what they leave of it.
#[derive(Clone)]
pub(super) struct Machine {
    pub(super) tree: &'static Tree,
    pub(super) mode: Mode,
    pub(super) place: Place,
    /// The beginning of a token that a chunk boundary cut.
    pub(super) held: Buffer<CAP>,
    /// What is wrong with the document.
    malformed: Option<Malformed>,
}

/// The document is malformed, and the machine knows how.
#[derive(Clone, Copy, Debug)]
pub(super) struct Broken;

/// What is left of a chunk.
pub(super) type Rest<'c> = Result<&'c [u8], Broken>;

/// Hears of fields by their numbers.
pub(super) type Listener<'s> = dyn Sink<FieldId> + 's;

/// The longest value or key that is kept.
pub(super) const CAP: usize = 256;

impl Machine {
    pub(super) fn new(tree: &'static Tree, mode: Mode) -> Self {
        Self {
            tree,
            mode,
            place: Place::start(),
            held: Buffer::new(),
            malformed: None,
        }
    }

    pub(super) fn reset(&mut self) {
        self.place.restart();
        self.malformed = None;
    }

    pub(super) fn scan(&mut self, chunk: &[u8], sink: &mut Listener<'_>) -> Result<(), Malformed> {
        self.place.end += chunk.len() as u64;
        let mut rest = chunk;
        while !rest.is_empty() {
            let read = match self.place.state {
                State::Text(role, escape) => self.text(role, escape, rest, sink),
                State::Skip => self.skip(rest, sink),
                State::Number(number) => self.number(number, rest, sink),
                State::Literal(literal, seen) => self.literal(literal, seen, rest, sink),
                State::Done if self.mode == Mode::Lenient => break,
                State::Broken => Err(Broken),
                _ => self.structure(rest, sink),
            };
            match read {
                Ok(left) => rest = left,
                Err(Broken) => {
                    // Whoever breaks the machine says why.
                    let (at, flaw) = (self.at(rest), Flaw::Syntax);
                    return Err(self.malformed.unwrap_or(Malformed { at, flaw }));
                }
            }
        }
        Ok(())
    }

    /// Where in the document `rest` begins, which is left of the chunk.
    #[inline(always)]
    pub(super) fn at(&self, rest: &[u8]) -> u64 {
        self.place.end - rest.len() as u64
    }

    /// Structure and tokens that are whole, up to one that a state of its own reads on.
    fn structure<'c>(&mut self, mut rest: &'c [u8], sink: &mut Listener<'_>) -> Rest<'c> {
        while let [byte, behind @ ..] = rest {
            rest = match (self.place.state, byte) {
                (State::After, b',') => {
                    self.expect_next();
                    behind
                }
                (State::Key | State::FirstKey, b'"') => self.members(behind, sink)?,
                (State::Value | State::FirstElement, b'"') => {
                    let role = self.begin_value(rest, sink);
                    self.begin_text(role, behind, sink)?
                }
                (State::After | State::FirstKey, b'}') if self.place.in_object() => {
                    self.close(behind, sink);
                    behind
                }
                (State::After | State::FirstElement, b']') if !self.place.in_object() => {
                    self.close(behind, sink);
                    behind
                }
                (State::Colon, b':') => {
                    self.place.state = State::Value;
                    behind
                }
                (State::Value | State::FirstElement, b'{' | b'[') => {
                    self.begin_value(rest, sink);
                    self.open(*byte == b'{', rest)?;
                    behind
                }
                (State::Text(..) | State::Number(_) | State::Literal(..), _)
                | (State::Skip | State::Broken, _) => break,
                (State::Done, _) if self.mode == Mode::Lenient => break,
                (_, b' ' | b'\t' | b'\n' | b'\r') => behind,
                (State::Value | State::FirstElement, _) => {
                    self.begin_value(rest, sink);
                    self.begin_scalar(rest, sink)?
                }
                _ => return Err(self.fail(rest, Flaw::Syntax)),
            }
        }
        Ok(rest)
    }

    /// Tells that a value begins, with the first byte of `rest`; answers what it is read for if it
    /// is a string.
    #[inline(always)]
    pub(super) fn begin_value(&mut self, rest: &[u8], sink: &mut Listener<'_>) -> Role {
        self.place.began = self.at(rest);
        let Some(Leaf { field, want }) = self.leaf() else {
            return Role::Nothing;
        };
        if want == Want::Begin
            && let Some(byte) = rest.first()
        {
            sink.begin(field, *byte, self.place.began);
        }
        match want {
            Want::Length => Role::Length,
            _ => Role::Value,
        }
    }

    fn open(&mut self, object: bool, rest: &[u8]) -> Result<(), Broken> {
        let node = self.place.node.and_then(|id| self.tree.node(id));
        let goes_on = node.is_some_and(|node| node.goes_on());
        if !goes_on && self.mode == Mode::Lenient {
            self.place.skipped = 1;
            self.place.state = State::Skip;
            return Ok(());
        }
        // A leaf that is a container is followed as well, so that its end is told.
        let followed = node.filter(|node| goes_on || node.leaf().is_some());
        if !self.place.open(object, followed.and(self.place.node)) {
            return Err(self.fail(rest, Flaw::TooDeep));
        }
        if object {
            self.place.state = State::FirstKey;
        } else {
            self.place.state = State::FirstElement;
            self.expect_element();
        }
        Ok(())
    }

    fn close(&mut self, behind: &[u8], sink: &mut Listener<'_>) {
        self.place.close();
        self.end_with(Value::Container, behind, sink);
    }

    /// Passes over a subtree that no path enters, minding nothing but strings and brackets.
    fn skip<'c>(&mut self, mut rest: &'c [u8], sink: &mut Listener<'_>) -> Rest<'c> {
        while self.place.state == State::Skip {
            let Some([byte, behind @ ..]) = rest.get(flat_len(rest)..) else {
                return Ok(&[]);
            };
            rest = match byte {
                b'"' => self.begin_text(Role::Nothing, behind, sink)?,
                b'{' | b'[' => {
                    self.place.skipped += 1;
                    behind
                }
                _ => {
                    self.place.skipped -= 1;
                    if self.place.skipped == 0 {
                        self.end_with(Value::Container, behind, sink);
                    }
                    behind
                }
            };
        }
        Ok(rest)
    }

    /// Ends the current value; answers the field to tell it under.
    #[inline]
    pub(super) fn end_value(&mut self) -> Option<FieldId> {
        self.place.end_value();
        self.leaf()
            .filter(|leaf| leaf.want != Want::Length)
            .map(|leaf| leaf.field)
    }

    /// Ends a value that is told as it stands, in front of `behind`.
    #[inline]
    pub(super) fn end_with(&mut self, value: Value<'_>, behind: &[u8], sink: &mut Listener<'_>) {
        if let Some(field) = self.end_value() {
            sink.value(field, value, self.place.began..self.at(behind));
        }
    }

    /// A key has ended that stands in front of `behind`.
    pub(super) fn expect_member(&mut self, key: Text<'_>, behind: &[u8]) -> Result<(), Broken> {
        self.place.state = State::Colon;
        let container = self.place.container().and_then(|id| self.tree.node(id));
        self.place.node = match container {
            None => None,
            Some(container) if !key.is_escaped() => container.child(key.raw()),
            Some(container) => key.decode().and_then(|key| container.child(key.as_bytes())),
        };
        self.check_repetition(behind)
    }

    /// Whether the key that has been read, in front of `behind`, may stand there.
    #[inline]
    pub(super) fn check_repetition(&mut self, behind: &[u8]) -> Result<(), Broken> {
        if self.mode == Mode::Strict
            && let Some(node) = self.place.node.and_then(|id| self.tree.node(id))
            && self.place.repeats(node.once())
        {
            return Err(self.fail(behind, Flaw::Twice(node.key())));
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
        let container = self.place.container().and_then(|id| self.tree.node(id));
        self.place.node = container.and_then(|container| container.elements());
    }

    /// The document is malformed where `rest` begins.
    #[cold]
    pub(super) fn fail(&mut self, rest: &[u8], flaw: Flaw) -> Broken {
        let at = self.at(rest);
        self.malformed = Some(Malformed { at, flaw });
        self.place.state = State::Broken;
        Broken
    }

    #[inline]
    pub(super) fn leaf(&self) -> Option<Leaf> {
        self.tree.node(self.place.node?)?.leaf()
    }
}
