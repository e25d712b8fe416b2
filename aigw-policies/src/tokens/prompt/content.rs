use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::{
    Recipe, Tally, Texts,
    image::Detail,
    key::Key,
    media::Media,
    raw,
    source::{ImageUrl, Source},
};

/// Reads a message, or what is in one: every string that the model sees.
pub(super) struct Content<'t, T> {
    pub(super) tally: &'t mut Tally<T>,
    pub(super) recipe: &'t Recipe,
    pub(super) level: Level,
}

/// Where in a message a value stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Level {
    /// It is one, or, in the dialects where it may be, the text of one.
    Message,
    /// It is the name in one.
    Name,
    /// It is in one.
    Nested,
    /// It is the input of an operation without messages: a number is a token.
    Input,
}

impl<T> Content<'_, T> {
    fn at(&mut self, level: Level) -> Content<'_, T> {
        Content {
            tally: self.tally,
            recipe: self.recipe,
            level,
        }
    }

    /// The level of an element, and of a member under a key that says nothing else.
    fn below(&self) -> Level {
        match self.level {
            Level::Input => Level::Input,
            _ => Level::Nested,
        }
    }

    fn number(&mut self) {
        if self.level == Level::Input {
            self.tally.fixed += 1;
        }
    }
}

impl<T: Texts> Content<'_, T> {
    fn member<'de, A: MapAccess<'de>>(
        &mut self,
        key: Key,
        map: &mut A,
        image: &mut Image,
    ) -> Result<(), A::Error> {
        let (tally, recipe) = (&mut *self.tally, self.recipe);
        match key {
            Key::Name if self.level == Level::Message => {
                map.next_value_seed(self.at(Level::Name))?;
            }
            Key::Text | Key::Name | Key::Url => {
                let level = self.below();
                map.next_value_seed(self.at(level))?;
            }
            Key::ImageUrl => {
                let (media, detail) = map.next_value_seed(ImageUrl)?;
                image.media = media.or(image.media);
                image.detail = detail.or(image.detail);
            }
            Key::Detail => image.detail = map.next_value::<Option<Detail>>()?.or(image.detail),
            Key::Source | Key::FileData => map.next_value_seed(Source { tally, recipe })?,
            Key::FileUrl => {
                if map.next_value::<Option<IgnoredAny>>()?.is_some() {
                    tally.media(Media::Elsewhere, recipe);
                }
            }
            Key::Free => tally.text(&raw::text(map)?),
            Key::Data | Key::Type | Key::Hidden => {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
}

/// An image, with what stands beside it in one object, in any order.
#[derive(Default)]
struct Image {
    media: Option<Media>,
    detail: Option<Detail>,
}

impl<'de, T: Texts> DeserializeSeed<'de> for Content<'_, T> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, source: D) -> Result<(), D::Error> {
        source.deserialize_any(self)
    }
}

impl<'de, T: Texts> Visitor<'de> for Content<'_, T> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a message, or part of one")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        if self.level == Level::Name {
            self.tally.fixed += self.recipe.per_name();
        }
        self.tally.text(text);
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut list: A) -> Result<(), A::Error> {
        let level = self.below();
        while list.next_element_seed(self.at(level))?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        let mut image = Image::default();
        while let Some(key) = map.next_key::<Key>()? {
            self.member(key, &mut map, &mut image)?;
        }
        if let Some(media) = image.media {
            self.tally
                .image(media, image.detail.unwrap_or_default(), self.recipe);
        }
        Ok(())
    }

    fn visit_u64<E: Error>(mut self, _: u64) -> Result<(), E> {
        self.number();
        Ok(())
    }

    fn visit_i64<E: Error>(mut self, _: i64) -> Result<(), E> {
        self.number();
        Ok(())
    }

    fn visit_f64<E: Error>(mut self, _: f64) -> Result<(), E> {
        self.number();
        Ok(())
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }
}
