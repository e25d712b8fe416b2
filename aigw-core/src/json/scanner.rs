use super::{Malformed, Sink, machine::Machine, place, shape::Shape, sink::Numbered, state::State};

/// Walks JSON of one [`Shape`], chunk by chunk.
#[derive(Clone)]
pub(crate) struct Scanner<F: 'static> {
    pub(super) shape: &'static Shape<F>,
    pub(super) machine: Machine,
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

impl<F: Copy> Scanner<F> {
    /// The longest value that a sink is told, in bytes as it stands in the document.
    #[cfg(test)]
    pub(crate) const CAP: usize = super::machine::CAP;

    /// The deepest nesting of a strict document.
    pub(crate) const MAX_DEPTH: u8 = place::MAX_DEPTH;

    pub(crate) fn new(shape: &'static Shape<F>, mode: Mode) -> Self {
        let machine = Machine::new(shape.tree(), mode);
        Self { shape, machine }
    }

    /// Begins another document.
    pub(crate) fn reset(&mut self) {
        self.machine.reset();
    }

    /// Whether a whole document has been read.
    pub(crate) fn is_complete(&self) -> bool {
        let place = &self.machine.place;
        match place.state {
            State::Done => true,
            // Only the end of input ends a number that is the whole document.
            State::Number(number) => place.is_outside() && number.may_end(),
            _ => false,
        }
    }

    /// Whether nothing but blanks has been seen.
    pub(crate) fn is_empty(&self) -> bool {
        let place = &self.machine.place;
        place.state == State::Value && place.is_outside()
    }

    /// Whether no byte of the document has been seen.
    pub(crate) fn is_at_start(&self) -> bool {
        self.machine.place.end == 0
    }

    /// Reads on. After an error every further chunk is the same error.
    pub(crate) fn scan(&mut self, chunk: &[u8], sink: &mut impl Sink<F>) -> Result<(), Malformed> {
        let shape = self.shape;
        self.machine.scan(chunk, &mut Numbered { shape, sink })
    }
}
