use std::borrow::Cow;

use serde::de::{Error, MapAccess};
use serde_json::value::RawValue;

/// The text of a value of no fixed form: of a string what it says, of all else how it is written.
pub(super) fn text<'de, A: MapAccess<'de>>(map: &mut A) -> Result<Cow<'de, str>, A::Error> {
    let json = map.next_value::<&RawValue>()?.get();
    spelt(json).map_err(A::Error::custom)
}

/// What a string says, and how all else is written.
pub(super) fn spelt(json: &str) -> serde_json::Result<Cow<'_, str>> {
    match json
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
    {
        Some(plain) if !plain.contains('\\') => Ok(Cow::Borrowed(plain)),
        Some(_) => serde_json::from_str::<String>(json).map(Cow::Owned),
        None => Ok(Cow::Borrowed(json)),
    }
}
