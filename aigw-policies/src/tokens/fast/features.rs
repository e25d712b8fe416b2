use super::{
    class::{Class, Counts},
    scan::scan,
};
use crate::tokens::prompt::Texts;

/// What of a prompt tells how many tokens it has: counts of what tokenizers treat alike, gathered in
/// one pass.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::tokens) struct Features {
    bytes: u64,
    counts: Counts,
    fixed: i64,
    /// How many bytes of the next text are taken to be like what was read before them.
    passed_over: usize,
}

/// How many features there are, in numbers.
pub(super) const COUNT: usize = Class::COUNT + 2;

/// How many bytes of a prompt are read from end to end. Behind them half is read, behind twice as
/// many a third, and so on: no prompt should hold up others for long, and the longer it is, the less
/// depends on any part of it.
const WHOLE: usize = 4 << 10;

/// How many bytes are then read in one place, about.
const BLOCK: usize = 256;

/// The longest run of letters and digits that is not cut.
const WORD: usize = 32;

impl Features {
    pub(in crate::tokens) fn bytes(&self) -> u64 {
        self.bytes
    }

    pub(in crate::tokens) fn with_fixed(self, fixed: i64) -> Self {
        Self { fixed, ..self }
    }

    /// As numbers: the counts, what is fixed, and a one for what every call has.
    pub(super) fn numbers(&self) -> [f64; COUNT] {
        let mut numbers = [1.0; COUNT];
        let counts = self.counts.iter().map(|count| count as f64);
        let values = counts.chain([self.fixed as f64]);
        for (number, value) in numbers.iter_mut().zip(values) {
            *number = value;
        }
        numbers
    }
}

impl Texts for Features {
    fn text(&mut self, text: &str) {
        self.counts.add(Class::Text, 1);
        let mut at = self.passed_over.min(text.len());
        self.passed_over -= at;
        let before = self.bytes as usize;
        while at < text.len() {
            let passed = before.saturating_add(at);
            let length = WHOLE.saturating_sub(passed);
            let length = if length > 0 { length } else { BLOCK };
            let length = length.min(text.len() - at);
            // Each byte that is read stands for so many.
            let times = passed / WHOLE + 1;
            let part = text.get(cut(text, at)..cut(text, at + length));
            let mut counts = Counts::default();
            scan(part.unwrap_or_default(), &mut counts);
            self.counts.add_times(&counts, times as u64);
            at = at.saturating_add(length.saturating_mul(times));
        }
        self.passed_over += at - text.len();
        self.bytes = self.bytes.saturating_add(text.len() as u64);
    }
}

/// Where a text may be cut so that no word is, if it is not too long: here or behind.
fn cut(text: &str, at: usize) -> usize {
    let bytes = text.as_bytes();
    let in_word = |at: &usize| {
        let letters = at.checked_sub(1).and_then(|before| bytes.get(before..=*at));
        letters.is_some_and(|letters| letters.iter().all(u8::is_ascii_alphanumeric))
    };
    let may_be = |at: &usize| text.is_char_boundary(*at) && !in_word(at);
    let mut behind = at..text.len();
    let word_ends = behind.clone().take(WORD).find(may_be);
    let cut = word_ends.or_else(|| behind.find(|at| text.is_char_boundary(*at)));
    cut.unwrap_or(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn features(text: &str) -> Features {
        let mut features = Features::default();
        features.text(text);
        features
    }

    fn count(text: &str, class: Class) -> u64 {
        features(text).counts.of(class)
    }

    #[test]
    fn a_text_is_told_by_what_it_consists_of() {
        let text = "getUserName 12345  if\n\tx == 'ä' и 猫かな。한 🦀 שלום ไทย";
        for (class, expected) in [
            (Class::Word, 3),
            (Class::LongWord, 5),
            (Class::Hump, 2),
            (Class::Number, 2),
            (Class::Sign, 3),
            (Class::SameSign, 1),
            (Class::Line, 1),
            (Class::Indent, 1),
            (Class::Accented, 1),
            (Class::Greek, 1),
            (Class::Semitic, 4),
            (Class::Kana, 2),
            (Class::Han, 1),
            (Class::WideSign, 1),
            (Class::Hangul, 1),
            (Class::Other, 3),
            (Class::Astral, 1),
            (Class::Text, 1),
        ] {
            assert_eq!(count(text, class), expected, "{class:?}");
        }
        assert_eq!(features(text).bytes(), text.len() as u64);
    }

    #[test]
    fn a_long_text_is_read_in_part_and_told_about_as_well() {
        let line = "Some words, größer than 12 others. 猫である。\n";
        let text = line.repeat(20_000);
        let (one, all) = (features(line), features(&text));
        assert_eq!(all.bytes(), text.len() as u64);
        for (one, all) in one.counts.iter().zip(all.counts.iter()) {
            // But for the one that counts texts.
            let expected = if all == 1 { 1 } else { one * 20_000 };
            assert!(
                all.abs_diff(expected) * 12 <= expected,
                "{all} for {expected}"
            );
        }
    }
}
