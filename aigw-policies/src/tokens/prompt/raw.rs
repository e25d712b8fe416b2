use std::{borrow::Cow, str};

use serde::de::{Error, MapAccess};
use serde_json::value::RawValue;

use super::json::{Json, Unexpected};

/// The text of a value of no fixed form: of a string what it says, of all else how it is written.
pub(super) fn text<'de, A: MapAccess<'de>>(map: &mut A) -> Result<Cow<'de, str>, A::Error> {
    let json = map.next_value::<&RawValue>()?.get();
    spelt(json.as_bytes()).map_err(|_| A::Error::custom("no text"))
}

/// What a string says, and how all else is written.
pub(super) fn spelt(json: &[u8]) -> Result<Cow<'_, str>, Unexpected> {
    if json.first() == Some(&b'"') {
        return Json::new(json).string()?.decode();
    }
    let text = str::from_utf8(json);
    text.map(Cow::Borrowed).map_err(|_| Unexpected)
}
