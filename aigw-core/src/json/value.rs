use std::borrow::Cow;

/// A value at a path that [wants its value](super::Want::Value).
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Value<'a> {
    String(Text<'a>),
    Number(&'a [u8]),
    Bool(bool),
    Null,
    /// An object or array, at its end.
    Container,
    /// A string or number above the scanner's cap.
    TooLong,
}

impl Value<'_> {
    /// A count: a whole number that is not negative, also when spelt `12.0` or `1e3`.
    pub(crate) fn count(self) -> Option<u64> {
        let Self::Number(digits) = self else {
            return None;
        };
        // A whole number of so few digits fits.
        if digits.len() < 20 && digits.iter().all(u8::is_ascii_digit) {
            return Some(
                digits
                    .iter()
                    .fold(0, |count, digit| count * 10 + u64::from(digit - b'0')),
            );
        }
        let digits = std::str::from_utf8(digits).ok()?;
        digits.parse().ok().or_else(|| {
            let number: f64 = digits.parse().ok()?;
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "in range"
            )]
            ((0.0..1e18).contains(&number) && number.fract() == 0.0).then_some(number as u64)
        })
    }
}

/// A string as it stands between its quotes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Text<'a> {
    raw: &'a [u8],
    escaped: bool,
}

impl<'a> Text<'a> {
    /// A string in which no escape stands.
    pub(super) const fn plain(raw: &'a [u8]) -> Self {
        Self {
            raw,
            escaped: false,
        }
    }

    pub(super) fn new(raw: &'a [u8]) -> Self {
        let escaped = memchr::memchr(b'\\', raw).is_some();
        Self { raw, escaped }
    }

    /// What stands between the quotes.
    pub(super) const fn raw(self) -> &'a [u8] {
        self.raw
    }

    pub(super) const fn len(self) -> usize {
        self.raw.len()
    }

    /// Whether an escape stands in it.
    pub(crate) const fn is_escaped(self) -> bool {
        self.escaped
    }

    /// Whether it stands there as this string, which needs no escape.
    pub(crate) fn is_plain(self, string: &str) -> bool {
        !self.escaped && self.raw == string.as_bytes()
    }

    /// The string it means; `None` when that is not Unicode.
    pub(crate) fn decode(self) -> Option<Cow<'a, str>> {
        if !self.is_escaped() {
            return std::str::from_utf8(self.raw).ok().map(Cow::Borrowed);
        }
        let mut quoted = Vec::with_capacity(self.raw.len() + 2);
        quoted.push(b'"');
        quoted.extend_from_slice(self.raw);
        quoted.push(b'"');
        serde_json::from_slice(&quoted).ok().map(Cow::Owned)
    }
}
