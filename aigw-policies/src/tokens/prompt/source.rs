//! Objects that hold or point to data. Their keys come in any order, so each is read to its end
//! before it is known what it was.

use std::{borrow::Cow, fmt};

use serde::{
    Deserialize,
    de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, Visitor},
};

use super::{
    Recipe, Tally, Texts,
    content::{Content, Level},
    image::Detail,
    key::Key,
    media::Media,
};

/// Reads `image_url`: a URL, or an object with `url` and `detail`.
pub(super) struct ImageUrl;

impl<'de> DeserializeSeed<'de> for ImageUrl {
    type Value = (Option<Media>, Option<Detail>);

    fn deserialize<D: Deserializer<'de>>(self, source: D) -> Result<Self::Value, D::Error> {
        source.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ImageUrl {
    type Value = (Option<Media>, Option<Detail>);

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an image")
    }

    fn visit_str<E: Error>(self, url: &str) -> Result<Self::Value, E> {
        Ok((Some(Media::at(url)), None))
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok((None, None))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let (mut media, mut detail) = (None, None);
        while let Some(key) = map.next_key::<Key>()? {
            match key {
                Key::Url => {
                    media = map
                        .next_value::<Option<Text<'de>>>()?
                        .map(|url| Media::at(&url))
                }
                Key::Detail => detail = map.next_value::<Option<Detail>>()?,
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok((media, detail))
    }
}

/// Reads the value of `source`, `inlineData`, `input_audio`, `file` or `file_data`: an object, or
/// the data itself.
pub(super) struct Source<'t, T> {
    pub(super) tally: &'t mut Tally<T>,
    pub(super) recipe: &'t Recipe,
}

impl<'de, T: Texts> DeserializeSeed<'de> for Source<'_, T> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, source: D) -> Result<(), D::Error> {
        source.deserialize_any(self)
    }
}

impl<'de, T: Texts> Visitor<'de> for Source<'_, T> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("data, or an object that has or names it")
    }

    fn visit_str<E: Error>(self, data: &str) -> Result<(), E> {
        self.tally.media(Media::at(data), self.recipe);
        Ok(())
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let (tally, recipe) = (self.tally, self.recipe);
        let (mut data, mut media, mut plain) = (None, None, false);
        while let Some(key) = map.next_key::<Key>()? {
            match key {
                Key::Data => data = map.next_value::<Option<Text<'de>>>()?,
                Key::Type => plain = map.next_value::<Text<'de>>()?.as_ref() == "text",
                Key::Url | Key::FileUrl | Key::FileData => {
                    let place = map.next_value::<Option<Text<'de>>>()?;
                    media = place.map(|place| Media::at(&place)).or(media);
                }
                // A document that is given as blocks of content.
                Key::Text => map.next_value_seed(Content {
                    tally,
                    recipe,
                    level: Level::Nested,
                })?,
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        match (data, media) {
            (Some(text), _) if plain => tally.text(&text),
            (Some(data), _) => tally.media(Media::of(&data), recipe),
            (None, Some(media)) => tally.media(media, recipe),
            (None, None) => {}
        }
        Ok(())
    }
}

/// A string, borrowed where it has no escape: data can be large.
pub(super) struct Text<'de>(Cow<'de, str>);

impl std::ops::Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl AsRef<str> for Text<'_> {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for Text<'de> {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        struct Borrowed;
        impl<'de> Visitor<'de> for Borrowed {
            type Value = Text<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Borrowed(text)))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }
        source.deserialize_str(Borrowed)
    }
}
