use std::ops::Range;

/// A string of 256 bytes and more, as it stands in the body of a [`Call`](super::Call) as a value.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LongString {
    /// Where it stands in [`Call::body`](super::Call::body), in bytes, with its quotes.
    pub span: Range<usize>,
    /// How many bytes of UTF-8 it says.
    pub bytes: usize,
    /// Whether an escape of a code (`\u00e9`) stands in it.
    pub has_codes: bool,
}
