use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::{
    Recipe, Tally, Texts,
    key::SchemaKey,
    schema::{Line, Schema},
};

/// Reads a list of tools or functions, by the recipe of OpenAI's cookbook. The other dialects, which
/// publish none, are read alike.
pub(super) struct Tools<'t, T> {
    pub(super) tally: &'t mut Tally<T>,
    pub(super) recipe: &'t Recipe,
}

/// Reads one tool, or the functions in one. Tells whether there was a function.
struct Tool<'t, T> {
    tally: &'t mut Tally<T>,
    recipe: &'t Recipe,
}

impl<'de, T: Texts> DeserializeSeed<'de> for Tools<'_, T> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, source: D) -> Result<(), D::Error> {
        let Self { tally, recipe } = self;
        let tool = Tool {
            tally: &mut *tally,
            recipe,
        };
        if tool.deserialize(source)? {
            tally.fixed += Recipe::FUNCTIONS_END;
        }
        Ok(())
    }
}

impl<'de, T: Texts> DeserializeSeed<'de> for Tool<'_, T> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, source: D) -> Result<bool, D::Error> {
        source.deserialize_any(self)
    }
}

impl<'de, T: Texts> Visitor<'de> for Tool<'_, T> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("tools")
    }

    fn visit_unit<E: Error>(self) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<bool, A::Error> {
        let Self { tally, recipe } = self;
        let mut any = false;
        loop {
            let tool = Tool {
                tally: &mut *tally,
                recipe,
            };
            match list.next_element_seed(tool)? {
                Some(function) => any |= function,
                None => return Ok(any),
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<bool, A::Error> {
        let Self { tally, recipe } = self;
        let mut line = Line::default();
        let mut any = false;
        while let Some(key) = map.next_key::<SchemaKey>()? {
            match key {
                SchemaKey::Name => line.name = map.next_value()?,
                SchemaKey::Description => line.description = map.next_value()?,
                SchemaKey::Parameters => map.next_value_seed(Schema { tally })?,
                SchemaKey::Functions => {
                    any |= map.next_value_seed(Tool {
                        tally: &mut *tally,
                        recipe,
                    })?;
                }
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        if line.name.is_some() {
            tally.fixed += recipe.per_function();
            tally.text(&line.function());
            any = true;
        } else if !any {
            // A tool of the provider's own: what the model is told of it is not published.
            tally.assumed = true;
        }
        Ok(any)
    }
}
