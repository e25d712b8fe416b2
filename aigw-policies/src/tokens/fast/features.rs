use std::ops::RangeInclusive;

use super::{
    class::{Class, Counts},
    scan::scan,
    unescape::unescape,
};
use crate::tokens::prompt::{Raw, Texts, Unexpected};

/// What of a prompt tells how many tokens it has: counts of what tokenizers treat alike, gathered in
/// one pass.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::tokens) struct Features {
    bytes: u64,
    /// How many of them may be none of the text's, but of the escapes that it is written with.
    uncertain: u64,
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
const WHOLE: usize = 2 << 10;

/// How many bytes are then read in one place, about.
const BLOCK: usize = 256;

/// The longest run of letters and digits that is not cut.
const WORD: usize = 32;

/// Where more than one byte of so many is there for an escape alone, as in texts of other scripts
/// that are written in ASCII, there is no place to cut.
const DENSE: usize = 4;

impl Features {
    /// How many bytes of text there are, at least and at most.
    pub(in crate::tokens) fn bytes(&self) -> RangeInclusive<u64> {
        self.bytes - self.uncertain..=self.bytes
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

    /// Reads a text, which says so many bytes and stands as in JSON if it is raw.
    fn read(&mut self, text: &[u8], bytes: RangeInclusive<usize>, is_raw: bool) {
        self.counts.add(Class::Text, 1);
        let mut at = self.passed_over.min(text.len());
        self.passed_over -= at;
        let before = self.bytes as usize;
        let mut room = Vec::new();
        while at < text.len() {
            let passed = before.saturating_add(at);
            let length = WHOLE.saturating_sub(passed);
            let length = if length > 0 { length } else { BLOCK };
            let length = length.min(text.len() - at);
            // Each byte that is read stands for so many.
            let times = passed / WHOLE + 1;
            let part = text.get(cut(text, at, is_raw)..cut(text, at + length, is_raw));
            let mut part = part.unwrap_or_default();
            if is_raw {
                part = unescape(part, &mut room);
            }
            let mut counts = Counts::default();
            scan(part, &mut counts);
            self.counts.add_times(&counts, times as u64);
            at = at.saturating_add(length.saturating_mul(times));
        }
        self.passed_over += at - text.len();
        self.bytes = self.bytes.saturating_add(*bytes.end() as u64);
        let uncertain = bytes.end() - bytes.start();
        self.uncertain = self.uncertain.saturating_add(uncertain as u64);
    }
}

impl Texts for Features {
    fn text(&mut self, text: &str) {
        self.read(text.as_bytes(), text.len()..=text.len(), false);
    }

    fn raw(&mut self, text: Raw<'_>) -> Result<(), Unexpected> {
        let (raw, bytes) = (text.inside(), text.bytes());
        let escapes = raw.len() - bytes.start();
        if escapes > raw.len() / DENSE || text.has_halves() {
            self.text(&text.decode()?);
        } else {
            self.read(raw, bytes, escapes > 0);
        }
        Ok(())
    }
}

/// Where a text may be cut so that no word is, if it is not too long, nor any character or escape:
/// here or behind.
fn cut(text: &[u8], at: usize, is_raw: bool) -> usize {
    // A text is not cut within anything at its ends.
    if at == 0 || at >= text.len() {
        return at.min(text.len());
    }
    let may_be = |at: &usize| is_boundary(text, *at) && !(is_raw && in_escape(text, *at));
    let mut behind = at..text.len();
    let words = behind.clone().take(WORD);
    let word_end = words.filter(|at| !in_word(text, *at)).find(may_be);
    let cut = word_end.or_else(|| behind.find(may_be));
    cut.unwrap_or(text.len())
}

fn in_word(text: &[u8], at: usize) -> bool {
    let letters = at.checked_sub(1).and_then(|before| text.get(before..=at));
    letters.is_some_and(|letters| letters.iter().all(u8::is_ascii_alphanumeric))
}

fn is_boundary(text: &[u8], at: usize) -> bool {
    text.get(at).is_none_or(|byte| byte & 0xc0 != 0x80)
}

/// Whether an escape may begin before and end behind.
fn in_escape(text: &[u8], at: usize) -> bool {
    let before = text.get(at.saturating_sub(5)..at);
    before.is_some_and(|before| before.contains(&b'\\'))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::tokens::prompt::Json;

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
        let bytes = text.len() as u64;
        assert_eq!(features(text).bytes(), bytes..=bytes);
    }

    /// The features of a text that stands in JSON.
    fn raw(text: &str) -> Features {
        let json = serde_json::to_string(text).unwrap();
        let mut features = Features::default();
        let string = Json::new(json.as_bytes()).string().unwrap();
        features.raw(string).unwrap();
        features
    }

    proptest! {
        #[test]
        fn a_text_is_the_same_however_it_is_written(text in "(\\PC{0,30}|[\n\t\"\\\\\u{1}]){0,20}") {
            let (plain, raw) = (features(&text), raw(&text));
            prop_assert_eq!(plain.counts, raw.counts);
            prop_assert!(raw.bytes().contains(plain.bytes().end()));
        }
    }

    #[test]
    fn nothing_is_cut_within_an_escape() {
        let text = r#"{"a":"é\n", "long": "x"}"#.repeat(2000) + &"\n".repeat(999);
        let (plain, raw) = (features(&text), raw(&text));
        for (plain, raw) in plain.counts.iter().zip(raw.counts.iter()) {
            assert!(plain.abs_diff(raw) * 8 <= plain, "{plain}, {raw}");
        }
        assert!(raw.bytes().contains(&(text.len() as u64)));
    }

    #[test]
    fn a_long_text_is_read_in_part_and_told_about_as_well() {
        let line = "Some words, größer than 12 others. 猫である。\n";
        let text = line.repeat(20_000);
        let (one, all) = (features(line), features(&text));
        assert_eq!(*all.bytes().end(), text.len() as u64);
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
