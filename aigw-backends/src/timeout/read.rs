use std::{borrow::Cow, time::Duration};

use aigw_core::duration;
use serde::{Deserialize, Deserializer, de::Error};

/// A duration as [`duration::parse`] reads it.
pub(super) fn optional<'de, D: Deserializer<'de>>(source: D) -> Result<Option<Duration>, D::Error> {
    let text = Cow::<str>::deserialize(source)?;
    duration::parse(&text).map(Some).map_err(D::Error::custom)
}
