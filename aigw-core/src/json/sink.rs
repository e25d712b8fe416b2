use std::ops::Range;

use super::{Shape, Value, tree::FieldId};

/// Hears what stands at the paths of a [`Shape`].
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

    /// A [long](LONG) string that stands whole in its chunk has ended, wherever it is, but for keys.
    fn long_string(&mut self, string: LongString) {
        let _ = string;
    }
}

/// How many bytes a string has at least, between its quotes, that is told because it is long.
pub(crate) const LONG: usize = 256;

/// A string of at least 256 bytes, as it stands in a document as a value.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LongString {
    /// Where it stands, with its quotes.
    pub span: Range<usize>,
    /// How many bytes of UTF-8 it says.
    pub bytes: usize,
    /// Whether an escape of a code (`\u00e9`) stands in it.
    pub has_codes: bool,
}

/// A sink as the machine knows it, for which fields are numbers.
pub(super) struct Numbered<'a, F: 'static, S> {
    pub(super) shape: &'static Shape<F>,
    pub(super) sink: &'a mut S,
}

impl<F: Copy, S: Sink<F>> Sink<FieldId> for Numbered<'_, F, S> {
    fn begin(&mut self, field: FieldId, first: u8, at: u64) {
        if let Some(field) = self.shape.field(field) {
            self.sink.begin(field, first, at);
        }
    }

    fn value(&mut self, field: FieldId, value: Value<'_>, span: Range<u64>) {
        if let Some(field) = self.shape.field(field) {
            self.sink.value(field, value, span);
        }
    }

    fn length(&mut self, field: FieldId, bytes: u64, began: u64) {
        if let Some(field) = self.shape.field(field) {
            self.sink.length(field, bytes, began);
        }
    }

    fn long_string(&mut self, string: LongString) {
        self.sink.long_string(string);
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
