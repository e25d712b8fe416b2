use super::{
    Flaw, Malformed, Sink,
    buffer::Buffer,
    number::Number,
    shape::{Leaf, NodeId, Shape, Want},
    state::{Literal, Role, State},
    text::{Escape, flat_len, plain_len},
    value::{Text, Value},
};

/// Walks JSON of one [`Shape`], chunk by chunk.
#[derive(Clone)]
pub(crate) struct Scanner<F: 'static> {
    shape: &'static Shape<F>,
    pub(super) mode: Mode,
    pub(super) state: State,
    /// Open containers. Those up to `live` lie on a path of the shape.
    depth: usize,
    live: usize,
    /// The open containers as bits, the innermost lowest: 1 is an object.
    objects: u128,
    open: [Open; LIVE],
    /// Open containers of a subtree that is skipped without looking at its grammar.
    pub(super) skipped: usize,
    /// The place in the shape of the value that is expected or being read.
    pub(super) node: Option<NodeId>,
    /// Where that value began.
    pub(super) began: u64,
    /// Bit *n*: the key of node *n* has stood in the document.
    seen: u128,
    /// Bytes seen in earlier chunks.
    offset: u64,
    pub(super) held: Buffer<CAP>,
}

/// How much is asked of the grammar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Every byte must fit RFC 8259, at most [`Scanner::MAX_DEPTH`] deep.
    Strict,
    /// Subtrees off every path are skipped by their brackets and strings alone; what follows the
    /// document is ignored.
    Lenient,
}

/// A container on a path of the shape.
#[derive(Clone, Copy, Debug)]
struct Open {
    node: NodeId,
    began: u64,
}

/// The deepest path of any shape.
const LIVE: usize = 12;

/// The longest value or key that is kept.
const CAP: usize = 256;

impl<F: Copy> Scanner<F> {
    /// The longest value that a sink is told, in bytes as it stands in the document.
    #[cfg(test)]
    pub(crate) const CAP: usize = CAP;

    /// The deepest nesting of a strict document.
    pub(crate) const MAX_DEPTH: usize = 127;

    pub(crate) fn new(shape: &'static Shape<F>, mode: Mode) -> Self {
        Self {
            shape,
            mode,
            state: State::Value,
            depth: 0,
            live: 0,
            objects: 0,
            open: [Open {
                node: shape.root(),
                began: 0,
            }; LIVE],
            skipped: 0,
            node: Some(shape.root()),
            began: 0,
            seen: 0,
            offset: 0,
            held: Buffer::new(),
        }
    }

    /// Begins another document.
    pub(crate) fn reset(&mut self) {
        self.state = State::Value;
        self.depth = 0;
        self.live = 0;
        self.skipped = 0;
        self.node = Some(self.shape.root());
        self.seen = 0;
        self.offset = 0;
    }

    /// Whether a whole document has been read.
    pub(crate) fn is_complete(&self) -> bool {
        match self.state {
            State::Done => true,
            // Only the end of input ends a number that is the whole document.
            State::Number(number) => self.depth == 0 && number.may_end(),
            _ => false,
        }
    }

    /// Whether nothing but the document's beginning has been seen.
    pub(crate) fn is_empty(&self) -> bool {
        self.state == State::Value && self.depth == 0
    }

    /// Reads on. After an error every further chunk is the same error.
    pub(crate) fn scan(&mut self, chunk: &[u8], sink: &mut impl Sink<F>) -> Result<(), Malformed> {
        let mut rest = chunk;
        while !rest.is_empty() {
            let at = self.offset + (chunk.len() - rest.len()) as u64;
            let taken = match self.state {
                State::Text(role, escape) => self.text(role, escape, rest, at, sink),
                State::Skip => self.skip(rest, at, sink),
                State::Number(number) => self.number(number, rest, at, sink),
                State::Literal(literal, seen) => self.literal(literal, seen, rest, at, sink),
                State::Done if self.mode == Mode::Lenient => Ok(rest.len()),
                State::Broken => Err(Malformed {
                    at,
                    flaw: Flaw::Syntax,
                }),
                _ => self.structure(rest, at, sink),
            };
            let left = taken.map(|taken| rest.get(taken..).unwrap_or_default());
            rest = left.inspect_err(|_| self.state = State::Broken)?;
        }
        self.offset += chunk.len() as u64;
        Ok(())
    }

    /// Structure and tokens that are whole, up to one that a state of its own reads on.
    fn structure(
        &mut self,
        rest: &[u8],
        at: u64,
        sink: &mut impl Sink<F>,
    ) -> Result<usize, Malformed> {
        let mut taken = 0;
        while let Some(&byte) = rest.get(taken) {
            let at = at + taken as u64;
            taken += 1;
            match (self.state, byte) {
                (State::Text(..) | State::Number(_) | State::Literal(..), _)
                | (State::Skip | State::Broken, _) => return Ok(taken - 1),
                (_, b' ' | b'\t' | b'\n' | b'\r') => {}
                (State::Done, _) if self.mode == Mode::Lenient => return Ok(taken - 1),
                (State::FirstElement, b']') | (State::FirstKey, b'}') => self.close(at, sink),
                (State::Value | State::FirstElement, _) => {
                    self.begin_value(byte, at, sink)?;
                    if byte == b'"' {
                        taken += self.string(rest.get(taken..).unwrap_or_default(), at + 1, sink);
                    }
                }
                (State::FirstKey | State::Key, b'"') => {
                    taken += self.key(rest.get(taken..).unwrap_or_default(), at)?;
                    if self.state == State::Colon && rest.get(taken) == Some(&b':') {
                        self.state = State::Value;
                        taken += 1;
                    }
                }
                (State::Colon, b':') => self.state = State::Value,
                (State::After, b',') if self.in_object() => self.state = State::Key,
                (State::After, b',') => {
                    self.state = State::Value;
                    self.expect_element();
                }
                (State::After, b'}') if self.in_object() => self.close(at, sink),
                (State::After, b']') if !self.in_object() => self.close(at, sink),
                _ => {
                    return Err(Malformed {
                        at,
                        flaw: Flaw::Syntax,
                    });
                }
            }
        }
        Ok(taken)
    }

    /// Reads a string that has begun in one go if it is all there and plain; answers how many bytes
    /// it took.
    fn string(&mut self, rest: &[u8], at: u64, sink: &mut impl Sink<F>) -> usize {
        let len = plain_len(rest);
        let (Some(text), Some(b'"')) = (rest.get(..len), rest.get(len)) else {
            return 0;
        };
        let leaf = self.leaf();
        self.state = self.after_value();
        match leaf {
            None => {}
            Some(Leaf {
                field,
                want: Want::Length,
            }) => sink.length(field, len as u64),
            Some(Leaf { field, .. }) => {
                let value = match len {
                    ..=CAP => Value::String(Text(text)),
                    _ => Value::TooLong,
                };
                sink.value(field, value, self.began..at + len as u64 + 1);
            }
        }
        len + 1
    }

    fn begin_value(&mut self, byte: u8, at: u64, sink: &mut impl Sink<F>) -> Result<(), Malformed> {
        self.began = at;
        let leaf = self.leaf();
        if let Some(Leaf {
            field,
            want: Want::Begin,
        }) = leaf
        {
            sink.begin(field, byte, at);
        }
        self.state = match byte {
            b'{' | b'[' => return self.open(byte == b'{', at),
            b'"' => {
                self.held.clear();
                let role = match leaf.map(|leaf| leaf.want) {
                    Some(Want::Length) => Role::Length,
                    Some(_) => Role::Value,
                    None => Role::Nothing,
                };
                State::Text(role, Escape::None)
            }
            b't' => State::Literal(Literal::True, 1),
            b'f' => State::Literal(Literal::False, 1),
            b'n' => State::Literal(Literal::Null, 1),
            _ => {
                let number = Number::begin(byte).ok_or(Malformed {
                    at,
                    flaw: Flaw::Syntax,
                })?;
                self.held.clear();
                self.held.push(&[byte]);
                State::Number(number)
            }
        };
        Ok(())
    }

    fn open(&mut self, object: bool, at: u64) -> Result<(), Malformed> {
        let path = self.node.filter(|node| self.shape.goes_on(*node));
        if path.is_none() && self.mode == Mode::Lenient {
            self.skipped = 1;
            self.state = State::Skip;
            return Ok(());
        }
        self.depth += 1;
        if self.depth > Self::MAX_DEPTH {
            return Err(Malformed {
                at,
                flaw: Flaw::TooDeep,
            });
        }
        self.objects = self.objects << 1 | u128::from(object);
        // A leaf that is a container is followed as well, so that its end is told; paths deeper
        // than `LIVE` do not exist.
        let follow = path.or_else(|| self.node.filter(|_| self.leaf().is_some()));
        if let Some(node) = follow
            && self.live + 1 == self.depth
            && let Some(slot) = self.open.get_mut(self.live)
        {
            *slot = Open { node, began: at };
            self.live = self.depth;
        }
        if object {
            self.state = State::FirstKey;
        } else {
            self.state = State::FirstElement;
            self.expect_element();
        }
        Ok(())
    }

    fn close(&mut self, at: u64, sink: &mut impl Sink<F>) {
        self.node = None;
        if self.live == self.depth {
            self.live -= 1;
            if let Some(open) = self.open.get(self.live) {
                self.node = Some(open.node);
                self.began = open.began;
            }
        }
        self.depth -= 1;
        self.objects >>= 1;
        self.end_with(Value::Container, at + 1, sink);
    }

    /// Ends the current value; answers the field to tell it under.
    pub(super) fn end_value(&mut self) -> Option<F> {
        self.state = self.after_value();
        self.leaf()
            .filter(|leaf| leaf.want != Want::Length)
            .map(|leaf| leaf.field)
    }

    fn after_value(&self) -> State {
        if self.depth == 0 {
            State::Done
        } else {
            State::After
        }
    }

    /// Ends a value that is told as it stands.
    pub(super) fn end_with(&mut self, value: Value<'_>, end: u64, sink: &mut impl Sink<F>) {
        if let Some(field) = self.end_value() {
            sink.value(field, value, self.began..end);
        }
    }

    /// Reads a key in one go if it is all there; answers how many bytes it took.
    #[inline]
    fn key(&mut self, rest: &[u8], at: u64) -> Result<usize, Malformed> {
        self.held.clear();
        if self.live != self.depth {
            self.state = State::Text(Role::ForeignKey, Escape::None);
            return Ok(0);
        }
        let len = plain_len(rest);
        match (rest.get(..len), rest.get(len)) {
            (Some(key), Some(b'"')) => {
                self.expect_member(key, at + 2 + len as u64)?;
                Ok(len + 1)
            }
            _ => {
                self.state = State::Text(Role::Key, Escape::None);
                Ok(0)
            }
        }
    }

    /// Passes over a subtree that no path enters, minding nothing but strings and brackets.
    fn skip(&mut self, rest: &[u8], at: u64, sink: &mut impl Sink<F>) -> Result<usize, Malformed> {
        let mut taken = 0;
        while let Some(left) = rest.get(taken..).filter(|left| !left.is_empty()) {
            let flat = flat_len(left);
            taken += flat;
            let Some(byte) = left.get(flat) else {
                break;
            };
            taken += 1;
            match byte {
                b'"' => {
                    self.state = State::Text(Role::Nothing, Escape::None);
                    break;
                }
                b'{' | b'[' => self.skipped += 1,
                _ => {
                    self.skipped -= 1;
                    if self.skipped == 0 {
                        self.end_with(Value::Container, at + taken as u64, sink);
                        break;
                    }
                }
            }
        }
        Ok(taken)
    }

    #[inline]
    pub(super) fn expect_member(&mut self, key: &[u8], at: u64) -> Result<(), Malformed> {
        self.state = State::Colon;
        self.node = self
            .container()
            .and_then(|container| self.shape.child(container, key));
        if let Some(node) = self.node.filter(|_| self.mode == Mode::Strict) {
            let bit = self.shape.bit_if_once(node);
            if self.seen & bit != 0 {
                return Err(Malformed {
                    at,
                    flaw: Flaw::Twice(self.shape.key(node)),
                });
            }
            self.seen |= bit;
        }
        Ok(())
    }

    fn expect_element(&mut self) {
        self.node = self
            .container()
            .and_then(|container| self.shape.elements(container));
    }

    /// The innermost container, if it lies on a path.
    fn container(&self) -> Option<NodeId> {
        if self.live != self.depth {
            return None;
        }
        self.open
            .get(self.live.checked_sub(1)?)
            .map(|open| open.node)
    }

    fn in_object(&self) -> bool {
        self.objects & 1 == 1
    }

    pub(super) fn leaf(&self) -> Option<Leaf<F>> {
        self.shape.leaf(self.node?)
    }
}
