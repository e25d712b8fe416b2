//! Objects that hold or point to data. Their keys come in any order, so each is read to its end
//! before it is known what it was.

use super::{
    Recipe, Tally, Texts,
    content::{Content, Level},
    image::Detail,
    json::{Json, Unexpected},
    key::Key,
    media::Media,
};

/// Reads `image_url`: a URL, or an object with `url` and `detail`.
pub(super) fn image_url(
    json: &mut Json<'_>,
) -> Result<(Option<Media>, Option<Detail>), Unexpected> {
    let (mut media, mut detail) = (None, None);
    if json.peek() != Some(b'{') {
        return Ok((at_url(json)?, detail));
    }
    json.enter()?;
    while let Some(key) = json.key()? {
        match Key::read(key)? {
            Key::Url => media = at_url(json)?,
            Key::Detail => detail = Detail::read(json)?,
            _ => {
                json.skip()?;
            }
        }
    }
    Ok((media, detail))
}

/// What is behind a URL; `None` where there is a null.
fn at_url(json: &mut Json<'_>) -> Result<Option<Media>, Unexpected> {
    let url = json.string_or_null()?;
    url.map(|url| Ok(Media::at(&url.decode()?))).transpose()
}

/// Reads the value of `source`, `inlineData`, `input_audio`, `file` or `file_data`: an object, or
/// the data itself.
pub(super) struct Source<'t, T> {
    pub(super) tally: &'t mut Tally<T>,
    pub(super) recipe: &'t Recipe,
}

impl<T: Texts> Source<'_, T> {
    pub(super) fn read(self, json: &mut Json<'_>) -> Result<(), Unexpected> {
        if json.peek() == Some(b'{') {
            return self.object(json);
        }
        if let Some(media) = at_url(json)? {
            self.tally.media(media, self.recipe);
        }
        Ok(())
    }

    fn object(self, json: &mut Json<'_>) -> Result<(), Unexpected> {
        let Self { tally, recipe } = self;
        let (mut data, mut media, mut plain) = (None, None, false);
        json.enter()?;
        while let Some(key) = json.key()? {
            match Key::read(key)? {
                Key::Data => data = json.string_or_null()?,
                Key::Type => plain = json.string()?.decode()? == "text",
                Key::Url | Key::FileUrl | Key::FileData => media = at_url(json)?.or(media),
                // A document that is given as blocks of content.
                Key::Text => {
                    let level = Level::Nested;
                    let mut blocks = Content {
                        tally: &mut *tally,
                        recipe,
                        level,
                    };
                    blocks.read(json)?;
                }
                _ => {
                    json.skip()?;
                }
            }
        }
        match (data, media) {
            (Some(text), _) if plain => tally.raw(text)?,
            (Some(data), _) => tally.media(Media::of(&data.decode()?), recipe),
            (None, Some(media)) => tally.media(media, recipe),
            (None, None) => {}
        }
        Ok(())
    }
}
