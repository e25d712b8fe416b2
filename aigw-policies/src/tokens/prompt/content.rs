use super::{
    Recipe, Tally, Texts,
    image::Detail,
    json::{Json, Unexpected},
    key::Key,
    media::Media,
    raw,
    source::{Source, image_url},
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

/// An image, with what stands beside it in one object, in any order.
#[derive(Default)]
struct Image {
    media: Option<Media>,
    detail: Option<Detail>,
}

impl<T: Texts> Content<'_, T> {
    pub(super) fn read(&mut self, json: &mut Json<'_>) -> Result<(), Unexpected> {
        match json.peek() {
            Some(b'"') => {
                if self.level == Level::Name {
                    self.tally.fixed += self.recipe.per_name();
                }
                self.tally.raw(json.string()?)
            }
            Some(b'{') => self.object(json),
            Some(b'[') => {
                let mut element = self.at(self.below());
                while json.element()? {
                    element.read(json)?;
                }
                Ok(())
            }
            Some(b'-' | b'0'..=b'9') if self.level == Level::Input => {
                self.tally.fixed += 1;
                json.skip().map(drop)
            }
            _ => json.skip().map(drop),
        }
    }

    fn object(&mut self, json: &mut Json<'_>) -> Result<(), Unexpected> {
        let mut image = Image::default();
        json.enter()?;
        while let Some(key) = json.key()? {
            self.member(Key::read(key)?, json, &mut image)?;
        }
        if let Some(media) = image.media {
            self.tally
                .image(media, image.detail.unwrap_or_default(), self.recipe);
        }
        Ok(())
    }

    fn member(
        &mut self,
        key: Key,
        json: &mut Json<'_>,
        image: &mut Image,
    ) -> Result<(), Unexpected> {
        let (tally, recipe) = (&mut *self.tally, self.recipe);
        match key {
            Key::Name if self.level == Level::Message => self.at(Level::Name).read(json)?,
            Key::Text | Key::Name | Key::Url => self.at(self.below()).read(json)?,
            Key::ImageUrl => {
                let (media, detail) = image_url(json)?;
                image.media = media.or(image.media);
                image.detail = detail.or(image.detail);
            }
            Key::Detail => image.detail = Detail::read(json)?.or(image.detail),
            Key::Source | Key::FileData => Source { tally, recipe }.read(json)?,
            Key::FileUrl => {
                if json.skip()? != b"null" {
                    tally.media(Media::Elsewhere, recipe);
                }
            }
            Key::Free => tally.text(&raw::spelt(json.skip()?)?),
            Key::Data | Key::Type | Key::Hidden => {
                json.skip()?;
            }
        }
        Ok(())
    }

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
}
