use std::{
    fmt,
    hash::{Hash, Hasher},
};

use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq;

/// A consumer's key as far as it is kept: its digest, and what is wrong with it.
#[derive(Clone)]
pub(super) struct Key {
    pub(super) digest: Digest,
    pub(super) flaw: Option<Flaw>,
}

/// Why nobody could ever show a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flaw {
    Empty,
    Unsendable,
}

impl Key {
    pub(super) fn new(text: &str) -> Self {
        // Blanks at its ends are not part of a header's value.
        let flaw = if text.is_empty() {
            Some(Flaw::Empty)
        } else if text.trim() != text || text.contains(char::is_control) {
            Some(Flaw::Unsendable)
        } else {
            None
        };
        Self {
            digest: Digest::of(text.as_bytes()),
            flaw,
        }
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// The SHA-256 of a key. It is never printed.
#[derive(Clone)]
pub(super) struct Digest([u8; 32]);

impl Digest {
    pub(super) fn of(key: &[u8]) -> Self {
        Self(Sha256::digest(key).into())
    }
}

impl PartialEq for Digest {
    /// Takes as long whether they differ early, late or not at all.
    fn eq(&self, other: &Self) -> bool {
        self.0.as_slice().ct_eq(&other.0).into()
    }
}

impl Eq for Digest {}

impl Hash for Digest {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_that_of_the_standard() {
        // FIPS 180-4, appendix B.1 of its examples.
        let [first, .., last] = Digest::of(b"abc").0;
        assert_eq!((first, last), (0xba, 0xad));
    }

    #[test]
    fn digests_are_equal_in_every_byte_or_not_at_all() {
        let digest = Digest::of(b"key");
        assert!(digest == Digest::of(b"key"));
        for index in 0..32 {
            let mut other = digest.clone();
            other.0[index] ^= 1;
            assert!(digest != other, "byte {index}");
        }
    }

    #[test]
    fn what_no_caller_can_send_is_a_flaw() {
        let flaw = |text| Key::new(text).flaw;
        assert_eq!(flaw("sk-1"), None);
        assert_eq!(flaw("schlüssel eins"), None);
        assert_eq!(flaw(""), Some(Flaw::Empty));
        for text in [" sk", "sk ", "sk\n", "s\tk", " "] {
            assert_eq!(flaw(text), Some(Flaw::Unsendable), "{text:?}");
        }
    }
}
