use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::{Recipe, Tally, Texts, key::SchemaKey, raw};

/// Reads the schema of a function's parameters: a line for each property, however deep. The recipe
/// has only those of the first level; schemas with more are counted by the same figures.
pub(super) struct Schema<'t, T> {
    pub(super) tally: &'t mut Tally<T>,
}

/// Reads the properties of an object.
struct Properties<'t, T> {
    tally: &'t mut Tally<T>,
}

/// What a function or property is told as.
#[derive(Debug, Default)]
pub(super) struct Line {
    pub(super) name: Option<String>,
    pub(super) description: Option<String>,
    kind: Option<String>,
}

impl Line {
    pub(super) fn function(&self) -> String {
        let (name, description) = (self.name.as_deref(), self.description());
        format!("{}:{description}", name.unwrap_or_default())
    }

    fn property(&self) -> String {
        let (name, kind) = (self.name.as_deref(), self.kind.as_deref());
        let (name, kind) = (name.unwrap_or_default(), kind.unwrap_or_default());
        format!("{name}:{kind}:{}", self.description())
    }

    /// The model is told no full stop.
    fn description(&self) -> &str {
        let text = self.description.as_deref().unwrap_or_default();
        text.strip_suffix('.').unwrap_or(text)
    }
}

impl<T: Texts> Schema<'_, T> {
    /// Reads the members of a schema, but for those that only a property has.
    fn member<'de, A: MapAccess<'de>>(
        tally: &mut Tally<T>,
        key: SchemaKey,
        map: &mut A,
    ) -> Result<(), A::Error> {
        match key {
            SchemaKey::Properties => map.next_value_seed(Properties { tally }),
            SchemaKey::Parts => map.next_value_seed(Schema { tally }),
            _ => map.next_value::<IgnoredAny>().map(|_| ()),
        }
    }
}

impl<'de, T: Texts> DeserializeSeed<'de> for Schema<'_, T> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, source: D) -> Result<(), D::Error> {
        source.deserialize_any(self)
    }
}

impl<'de, T: Texts> Visitor<'de> for Schema<'_, T> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a schema")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<SchemaKey>()? {
            Self::member(self.tally, key, &mut map)?;
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let Self { tally } = self;
        while list
            .next_element_seed(Schema { tally: &mut *tally })?
            .is_some()
        {}
        Ok(())
    }

    // `true` is a schema, and what takes anything.
    fn visit_bool<E: Error>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }
}

impl<'de, T: Texts> DeserializeSeed<'de> for Properties<'_, T> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, source: D) -> Result<(), D::Error> {
        source.deserialize_map(self)
    }
}

impl<'de, T: Texts> Visitor<'de> for Properties<'_, T> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("properties by name")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Self { tally } = self;
        let mut first = true;
        while let Some(name) = map.next_key::<String>()? {
            if std::mem::take(&mut first) {
                tally.fixed += Recipe::PROPERTIES;
            }
            map.next_value_seed(Property {
                tally: &mut *tally,
                name,
            })?;
        }
        Ok(())
    }
}

/// Reads a schema that a property has.
struct Property<'t, T> {
    tally: &'t mut Tally<T>,
    name: String,
}

impl<'de, T: Texts> DeserializeSeed<'de> for Property<'_, T> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, source: D) -> Result<(), D::Error> {
        source.deserialize_any(self)
    }
}

impl<'de, T: Texts> Visitor<'de> for Property<'_, T> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a property")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Self { tally, name } = self;
        let mut line = Line {
            name: Some(name),
            ..Line::default()
        };
        while let Some(key) = map.next_key::<SchemaKey>()? {
            match key {
                SchemaKey::Description => line.description = map.next_value()?,
                // One type, or a list of them.
                SchemaKey::Type => line.kind = Some(raw::text(&mut map)?.into_owned()),
                SchemaKey::Enum => {
                    tally.fixed += Recipe::ENUM;
                    map.next_value_seed(Enum { tally: &mut *tally })?;
                }
                _ => Schema::member(tally, key, &mut map)?,
            }
        }
        tally.fixed += Recipe::PROPERTY;
        tally.text(&line.property());
        Ok(())
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<(), E> {
        let Self { tally, name } = self;
        tally.fixed += Recipe::PROPERTY;
        tally.text(&name);
        Ok(())
    }
}

/// Reads the values of an enumeration.
struct Enum<'t, T> {
    tally: &'t mut Tally<T>,
}

impl<'de, T: Texts> DeserializeSeed<'de> for Enum<'_, T> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, source: D) -> Result<(), D::Error> {
        source.deserialize_seq(self)
    }
}

impl<'de, T: Texts> Visitor<'de> for Enum<'_, T> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the values of an enumeration")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while let Some(value) = list.next_element::<&RawValue>()? {
            self.tally.fixed += Recipe::ENUM_VALUE;
            let value = raw::spelt(value.get().as_bytes());
            let value = value.map_err(|_| A::Error::custom("no text"))?;
            self.tally.text(&value);
        }
        Ok(())
    }
}
