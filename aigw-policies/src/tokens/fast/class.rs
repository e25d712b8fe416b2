/// What tokenizers treat alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub(super) enum Class {
    /// Words of ASCII letters: most of them are one token.
    Word,
    /// Letters beyond the sixth of a word: the more, the more tokens.
    LongWord,
    /// A capital behind a small letter, where words of code are cut.
    Hump,
    /// Digits, by threes.
    Number,
    /// Punctuation, and each further sign that is like the one before.
    Sign,
    SameSign,
    /// Line ends, and blanks beyond the first: both come in runs.
    Line,
    Indent,
    /// Latin letters with accents, which stand in words.
    Accented,
    /// Greek, Cyrillic and Armenian: words of letters of two bytes.
    Greek,
    /// Hebrew, Arabic and their neighbours: letters of two bytes that vocabularies know less well.
    Semitic,
    Kana,
    Han,
    /// Signs of East Asia.
    WideSign,
    Hangul,
    /// All other letters of three bytes.
    Other,
    /// Emoji and rare letters: four bytes.
    Astral,
    /// Each text, for what is cut at its ends.
    Text,
}

impl Class {
    pub(super) const COUNT: usize = Self::Text as usize + 1;

    /// The class of the character that a text begins with, which is not of ASCII.
    #[inline]
    pub(super) fn beyond_ascii(utf8: &[u8]) -> Self {
        let low = |byte: u8| usize::from(byte & 0x3f);
        let row = match *utf8 {
            [lead @ ..0xe0, ..] => usize::from(lead & 0x1f),
            [lead @ ..0xf0, second, ..] => usize::from(lead & 0xf) << 6 | low(second),
            _ => return Self::Astral,
        };
        ROWS.get(row).copied().unwrap_or(Self::Other)
    }

    /// The class of the sixty-four characters that begin here: no class begins between them.
    const fn of_row(first: u32) -> Self {
        match first {
            0x80..=0x37f | 0x1e00..=0x1eff => Self::Accented,
            0x380..=0x5bf | 0x1f00..=0x1fff => Self::Greek,
            0x5c0..=0x8ff => Self::Semitic,
            0x3040..=0x30ff => Self::Kana,
            0x2000..=0x2fff | 0x3000..=0x303f | 0xff00..=0xffff => Self::WideSign,
            0x3400..=0x9fff | 0xf900..=0xfaff => Self::Han,
            0xac00..=0xd7ff => Self::Hangul,
            _ => Self::Other,
        }
    }
}

/// The classes of what is encoded in two or three bytes.
static ROWS: [Class; 1024] = rows();

#[expect(
    clippy::indexing_slicing,
    reason = "it is evaluated when it is compiled"
)]
const fn rows() -> [Class; 1024] {
    let mut rows = [Class::Other; 1024];
    let mut row = 0;
    while row < rows.len() {
        rows[row] = Class::of_row((row as u32) << 6);
        row += 1;
    }
    rows
}

/// How many there are of each class.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts([u64; Class::COUNT]);

impl Counts {
    #[inline]
    pub(super) fn add(&mut self, class: Class, count: u64) {
        let Self(counts) = self;
        if let Some(slot) = counts.get_mut(class as usize) {
            *slot = slot.saturating_add(count);
        }
    }

    /// Adds what was found in a part that stands for so many like it.
    pub(super) fn add_times(&mut self, part: &Self, times: u64) {
        for (count, found) in self.0.iter_mut().zip(part.0) {
            *count = count.saturating_add(found.saturating_mul(times));
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = u64> {
        self.0.into_iter()
    }

    #[cfg(test)]
    pub(super) fn of(&self, class: Class) -> u64 {
        self.0[class as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_character_is_of_the_class_of_its_row() {
        for (letter, class) in [
            ('é', Class::Accented),
            ('ế', Class::Accented),
            ('λ', Class::Greek),
            ('ж', Class::Greek),
            ('ש', Class::Semitic),
            ('か', Class::Kana),
            ('猫', Class::Han),
            ('。', Class::WideSign),
            ('！', Class::WideSign),
            ('한', Class::Hangul),
            ('ไ', Class::Other),
            ('🦀', Class::Astral),
        ] {
            assert_eq!(
                Class::beyond_ascii(letter.to_string().as_bytes()),
                class,
                "{letter}"
            );
        }
    }

    #[test]
    fn no_class_begins_within_a_row() {
        for letter in '\u{80}'..='\u{ffff}' {
            let row = Class::of_row(u32::from(letter) & !0x3f);
            assert_eq!(Class::of_row(u32::from(letter)), row, "{letter:?}");
        }
    }
}
