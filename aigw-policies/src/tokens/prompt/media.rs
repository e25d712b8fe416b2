use super::{
    Recipe, Tally,
    audio::{self, Millis},
    base64::{self, Decoded},
    image::Detail,
    size::Size,
};

/// What is in a prompt and is no text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Media {
    Image(Size),
    /// A sound, and how long it is, if that can be told from its head.
    Audio(Option<Millis>),
    /// Anything else, in bytes.
    Document(u64),
    /// It is at the provider, or behind a URL.
    Elsewhere,
}

/// How far into its data an image's size is looked for: that of a JPEG stands behind what a camera
/// has to say, thumbnail included.
const HEAD: usize = 256 << 10;

/// How many bytes of a document are taken for a page.
const PAGE_BYTES: u64 = 50_000;

impl Media {
    /// What is behind a URL, which may hold it.
    pub(super) fn at(url: &str) -> Self {
        let data = url
            .get(..5)
            .filter(|scheme| scheme.eq_ignore_ascii_case("data:"))
            .and_then(|_| url.split_once(','));
        match data {
            Some((_, data)) => Self::of(data),
            None => Self::Elsewhere,
        }
    }

    /// What base64 holds, told by its first bytes: the type that is stated may be wrong.
    pub(super) fn of(data: &str) -> Self {
        let bytes = base64::len(data);
        let head = || Decoded::new(data).take(HEAD);
        if let Some(size) = Size::read(head()) {
            return Self::Image(size);
        }
        match audio::read(head(), bytes) {
            Some(length) => Self::Audio(length),
            None => Self::Document(bytes),
        }
    }
}

impl<T> Tally<T> {
    /// Adds what stands where an image is expected.
    pub(super) fn image(&mut self, media: Media, detail: Detail, recipe: &Recipe) {
        let size = match media {
            Media::Image(size) => Some(size),
            _ => None,
        };
        self.assumed |= size.is_none();
        self.add(recipe.images().tokens(size, detail));
    }

    /// Adds what may be anything.
    pub(super) fn media(&mut self, media: Media, recipe: &Recipe) {
        match media {
            Media::Image(_) => self.image(media, Detail::default(), recipe),
            Media::Audio(Some(length)) => self.add(length.tokens(recipe.audio_per_second())),
            Media::Audio(None) => {
                self.assumed = true;
                self.add(Millis::USUAL.tokens(recipe.audio_per_second()));
            }
            Media::Document(bytes) => {
                self.assumed = true;
                let pages = bytes.div_ceil(PAGE_BYTES).max(1);
                self.add(pages.saturating_mul(recipe.per_page()));
            }
            Media::Elsewhere => {
                self.assumed = true;
                self.add(recipe.per_page());
            }
        }
    }
}
