use std::ops::Range;

use super::Value;

/// Hears what stands at the paths of a [`Shape`](super::Shape).
pub(crate) trait Sink<F> {
    /// A value at a path that [wants its beginning](super::Want::Begin) begins at byte `at`.
    fn begin(&mut self, field: F, first: u8, at: u64) {
        let _ = (field, first, at);
    }

    /// A value at a path that wants its value or beginning has ended.
    fn value(&mut self, field: F, value: Value<'_>, span: Range<u64>);

    /// So many more bytes of a string at a path that [wants its length](super::Want::Length), which
    /// began at byte `began`.
    fn length(&mut self, field: F, bytes: u64, began: u64) {
        let _ = (field, bytes, began);
    }
}

/// The bytes are not a document that can be trusted to mean one thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Malformed {
    /// The byte that does not fit.
    pub(crate) at: u64,
    pub(crate) flaw: Flaw,
}

/// What is wrong with a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flaw {
    /// It is not JSON.
    Syntax,
    /// It opens one container too many.
    TooDeep,
    /// This key of the shape stands twice in one object: readers differ on which of the two counts.
    /// Strict documents only.
    Twice(&'static str),
}
