use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::{Tally, Texts, key::SchemaKey, raw};

/// Reads the form that an answer must have: OpenAI's `response_format` or `text`.
///
/// How the provider shows a schema to its model is not published: it is taken to be the schema as it
/// is written, and stated as assumed. The forms without a schema cost nothing.
pub(super) struct Format<'t, T> {
    pub(super) tally: &'t mut Tally<T>,
}

impl<T: Texts> Format<'_, T> {
    /// Adds a schema as it is written.
    pub(super) fn schema(tally: &mut Tally<T>, json: &str) {
        tally.assumed = true;
        tally.text(json);
    }
}

impl<'de, T: Texts> DeserializeSeed<'de> for Format<'_, T> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, source: D) -> Result<(), D::Error> {
        source.deserialize_any(self)
    }
}

impl<'de, T: Texts> Visitor<'de> for Format<'_, T> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the form of an answer")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Self { tally } = self;
        while let Some(key) = map.next_key::<SchemaKey>()? {
            match key {
                SchemaKey::Schema => Self::schema(tally, &raw::text(&mut map)?),
                // It may stand under `json_schema` or `format`.
                SchemaKey::Other => map.next_value_seed(Format { tally })?,
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(())
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }
}
