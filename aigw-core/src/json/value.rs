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
pub(crate) struct Text<'a>(pub(super) &'a [u8]);

impl<'a> Text<'a> {
    /// Whether it stands there as this string, which needs no escape.
    pub(crate) fn is_plain(self, string: &str) -> bool {
        self.0 == string.as_bytes()
    }

    /// The string it means; `None` when that is not Unicode.
    pub(crate) fn decode(self) -> Option<Cow<'a, str>> {
        if memchr::memchr(b'\\', self.0).is_none() {
            return std::str::from_utf8(self.0).ok().map(Cow::Borrowed);
        }
        let mut quoted = Vec::with_capacity(self.0.len() + 2);
        quoted.push(b'"');
        quoted.extend_from_slice(self.0);
        quoted.push(b'"');
        serde_json::from_slice(&quoted).ok().map(Cow::Owned)
    }
}
