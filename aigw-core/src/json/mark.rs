use std::ops::Range;

use super::{Scanner, Sink, Value, place::Place, state::State};

/// Where a [`Scanner`] stands when a value is to come.
///
/// What a scanner makes of bytes depends on these bytes alone: one that meets the beginning of a
/// document again can go on from here.
#[derive(Clone, Copy)]
pub(crate) struct Mark(Place);

impl<F: Copy> Scanner<F> {
    /// Where the scanner would stand behind this beginning of a document, if a value is to come
    /// there.
    pub(crate) fn mark(&self, beginning: &[u8]) -> Option<Mark> {
        let mut scout = Self::new(self.shape, self.machine.mode);
        scout.scan(beginning, &mut Deaf).ok()?;
        let place = scout.machine.place;
        (place.state == State::Value).then_some(Mark(place))
    }

    /// Goes on as if the beginning of the document had been read.
    pub(crate) fn resume(&mut self, mark: &Mark) {
        self.machine.place = mark.0;
    }

    /// Whether the value that came at the mark has been read, and nothing but blanks behind it.
    pub(crate) fn has_read(&self, mark: &Mark) -> bool {
        let place = &self.machine.place;
        place.state == State::After && place.began == mark.0.end
    }

    /// How long the value is that comes at the mark and that `rest` begins with; `None` if its end
    /// is not seen.
    ///
    /// Byte by byte, since a scanner does not stop behind a value. A number ends only with what
    /// follows it, and so has no length here.
    pub(crate) fn value_len(&self, mark: &Mark, rest: &[u8]) -> Option<usize> {
        let mut scout = Self::new(self.shape, self.machine.mode);
        scout.resume(mark);
        for (at, byte) in rest.chunks(1).enumerate() {
            scout.scan(byte, &mut Deaf).ok()?;
            if scout.has_read(mark) {
                return Some(at + 1);
            }
        }
        None
    }

    /// Goes on as if the rest of the document had been read.
    pub(crate) fn complete(&mut self) {
        self.machine.place.state = State::Done;
    }
}

/// Hears nothing.
struct Deaf;

impl<F> Sink<F> for Deaf {
    fn value(&mut self, _: F, _: Value<'_>, _: Range<u64>) {}
}
