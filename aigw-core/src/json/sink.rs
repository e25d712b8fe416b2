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

    /// A [long](LONG) string that is no key and stands whole in its chunk has ended, wherever it is.
    /// It says so many bytes, some perhaps by escapes of codes.
    fn long_string(&mut self, span: Range<u64>, bytes: u64, has_codes: bool) {
        let _ = (span, bytes, has_codes);
    }
}

/// How many bytes a string has at least, between its quotes, that is told because it is long.
pub(super) const LONG: usize = 256;

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

    fn long_string(&mut self, span: Range<u64>, bytes: u64, has_codes: bool) {
        self.sink.long_string(span, bytes, has_codes);
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
