//! A string as it stands in JSON.

use std::{borrow::Cow, ops::RangeInclusive, str};

use aigw_core::call::LongString;
use memchr::{memchr2, memmem};

use super::json::Unexpected;

/// A string as it is written.
#[derive(Clone, Copy, Debug)]
pub(in crate::tokens) struct Raw<'j> {
    /// With its quotes.
    json: &'j [u8],
    /// How many bytes it says, at least and at most.
    says: (usize, usize),
    /// Whether an escape of a code stands in it.
    has_codes: bool,
}

impl<'j> Raw<'j> {
    /// The string that stands at the beginning, and what stands behind it; `None` if it does not
    /// end.
    pub(super) fn read(json: &'j [u8]) -> Option<(Self, &'j [u8])> {
        let (mut escapes, mut codes) = (0, 0);
        let mut at = 1;
        loop {
            at += memchr2(b'"', b'\\', json.get(at..)?)?;
            match json.get(at..)? {
                [b'"', behind @ ..] => {
                    let most = at - 1 - escapes;
                    let string = Self {
                        json: json.get(..=at)?,
                        // A code takes six bytes, and says one at least.
                        says: (most.saturating_sub(4 * codes), most),
                        has_codes: codes > 0,
                    };
                    return Some((string, behind));
                }
                [_, b'u', ..] => codes += 1,
                _ => {}
            }
            escapes += 1;
            // Of a longer escape, what is left is plain.
            at += 2;
        }
    }

    /// One that is known and stands at the beginning, and what stands behind it.
    pub(super) fn known(json: &'j [u8], string: &LongString) -> Option<(Self, &'j [u8])> {
        let (json, behind) = json.split_at_checked(string.span.len())?;
        let string = Self {
            json,
            says: (string.bytes, string.bytes),
            has_codes: string.has_codes,
        };
        Some((string, behind))
    }

    /// How it is written, with its quotes.
    pub(super) fn json(self) -> &'j [u8] {
        self.json
    }

    /// What it says, where that is what stands there.
    pub(super) fn plain(self) -> Option<&'j [u8]> {
        let (least, _) = self.says;
        (least == self.inside().len()).then(|| self.inside())
    }

    /// What it says.
    pub(in crate::tokens) fn decode(self) -> Result<Cow<'j, str>, Unexpected> {
        if let Some(plain) = self.plain() {
            let plain = str::from_utf8(plain);
            return plain.map(Cow::Borrowed).map_err(|_| Unexpected);
        }
        let text = serde_json::from_slice(self.json);
        text.map(Cow::Owned).map_err(|_| Unexpected)
    }

    /// What stands between its quotes.
    pub(in crate::tokens) fn inside(self) -> &'j [u8] {
        let (_, behind) = self.json.split_at_checked(1).unwrap_or_default();
        behind
            .get(..behind.len().saturating_sub(1))
            .unwrap_or_default()
    }

    pub(super) fn is_empty(self) -> bool {
        self.json.len() <= 2
    }

    /// How many bytes it says.
    pub(in crate::tokens) fn bytes(self) -> RangeInclusive<usize> {
        let (least, most) = self.says;
        least..=most
    }

    /// Whether an escape may be half a character.
    pub(in crate::tokens) fn has_halves(self) -> bool {
        let half = |at| {
            let code = self.json.get(at + 2..).unwrap_or_default();
            matches!(code, [b'd' | b'D', b'8'..=b'f', ..])
        };
        self.has_codes && memmem::find_iter(self.json, br"\u").any(half)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_ends_at_the_first_quote_that_no_backslash_escapes(
            text in r#"(\\\\|\\"|\\n|\\ud83e|\\u00e9|[ -!#-\[\]-~é]){0,40}"#,
            behind in r#"["\\a,]{0,9}"#,
        ) {
            let json = format!("\"{text}\"{behind}");
            let (string, rest) = Raw::read(json.as_bytes()).unwrap();
            prop_assert_eq!(string.inside(), text.as_bytes());
            prop_assert_eq!(rest, behind.as_bytes());
            prop_assert_eq!(string.plain().is_some(), !text.contains('\\'));
            let has_halves = text.replace("\\\\", "").contains("\\ud83e");
            prop_assert!(string.has_halves() || !has_halves);
            if let Ok(said) = string.decode() {
                prop_assert!(string.bytes().contains(&said.len()));
            }
        }

        #[test]
        fn one_that_does_not_end_is_none(text in r#"(\\\\|\\"|[a-z]){0,40}\\?"#) {
            let json = format!("\"{text}");
            prop_assert!(Raw::read(json.as_bytes()).is_none());
        }
    }
}
