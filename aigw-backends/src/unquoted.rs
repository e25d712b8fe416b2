//! Settings that may hold secrets, read from files.

use serde::{Deserialize, Deserializer, de::Error};

/// Reads a setting, and says of anything else only what was `expected` in its place: serde's own
/// errors quote what they find, and what was mistyped may be a key.
pub(crate) fn read<'de, D, T>(source: D, expected: &'static str) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    T::deserialize(source).map_err(|_| D::Error::custom(format_args!("expected {expected}")))
}
