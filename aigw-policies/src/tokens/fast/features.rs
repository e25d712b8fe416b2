use crate::tokens::prompt::Texts;

/// What of a prompt tells how many tokens it has: counts of what tokenizers treat alike, gathered in
/// one pass.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::tokens) struct Features {
    bytes: u64,
    counts: [u64; Class::COUNT],
    fixed: i64,
}

/// What a text consists of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
enum Class {
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
    const COUNT: usize = Self::Text as usize + 1;
}

/// How many features there are, in numbers.
pub(super) const COUNT: usize = Class::COUNT + 2;

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
        let counts = self.counts.iter().map(|count| *count as f64);
        let values = counts.chain([self.fixed as f64]);
        for (number, value) in numbers.iter_mut().zip(values) {
            *number = value;
        }
        numbers
    }

    fn add(&mut self, class: Class, count: u64) {
        if let Some(slot) = self.counts.get_mut(class as usize) {
            *slot = slot.saturating_add(count);
        }
    }
}

impl Texts for Features {
    fn text(&mut self, text: &str) {
        self.bytes = self.bytes.saturating_add(text.len() as u64);
        self.add(Class::Text, 1);
        if text.len() <= WHOLE {
            self.read(text);
        } else {
            self.sample(text);
        }
    }
}

/// The longest text that is read from end to end, in bytes.
const WHOLE: usize = 64 << 10;

/// The bytes that are read at each of sixteen places of a longer one.
const BLOCK: usize = WHOLE / 16;

impl Features {
    /// Reads a long text at places that are evenly apart, and takes the rest to be alike: no
    /// prompt should hold up others for long.
    fn sample(&mut self, text: &str) {
        let (mut sample, mut read) = (Self::default(), 0_u64);
        for start in (0..text.len()).step_by(text.len().div_ceil(WHOLE / BLOCK)) {
            let boundary =
                |place: usize| (place..=text.len()).find(|at| text.is_char_boundary(*at));
            let block = boundary(start).zip(boundary(text.len().min(start + BLOCK)));
            let block = block.and_then(|(start, end)| text.get(start..end));
            let block = block.unwrap_or_default();
            sample.read(block);
            read += block.len() as u64;
        }
        for (count, sampled) in self.counts.iter_mut().zip(sample.counts) {
            let all = sampled.saturating_mul(text.len() as u64).checked_div(read);
            *count = count.saturating_add(all.unwrap_or_default());
        }
    }

    fn read(&mut self, text: &str) {
        let mut rest = text;
        let mut last = '\0';
        while let Some(letter) = rest.chars().next() {
            let run = match letter {
                'a'..='z' | 'A'..='Z' => self.word(rest),
                '0'..='9' => {
                    let run = run(rest, |byte| byte.is_ascii_digit());
                    self.add(Class::Number, run.div_ceil(3) as u64);
                    run
                }
                '\n' | '\r' => {
                    self.add(Class::Line, 1);
                    run(rest, |byte| matches!(byte, b'\n' | b'\r'))
                }
                ' ' | '\t' => {
                    let run = run(rest, |byte| matches!(byte, b' ' | b'\t'));
                    self.add(Class::Indent, u64::from(run > 1));
                    run
                }
                _ => {
                    self.add(class(letter, last), 1);
                    letter.len_utf8()
                }
            };
            last = letter;
            rest = rest.get(run..).unwrap_or_default();
        }
    }

    /// Reads the word that a text begins with, and says how long it is.
    fn word(&mut self, text: &str) -> usize {
        let (mut length, mut humps, mut small) = (0_usize, 0, false);
        for byte in text.bytes() {
            match byte {
                b'a'..=b'z' => small = true,
                b'A'..=b'Z' => humps += u64::from(std::mem::take(&mut small)),
                _ => break,
            }
            length += 1;
        }
        self.add(Class::Word, 1);
        self.add(Class::Hump, humps);
        self.add(Class::LongWord, length.saturating_sub(6) as u64);
        length
    }
}

/// How many bytes at the beginning of a text are like this.
fn run(text: &str, like: impl Fn(u8) -> bool) -> usize {
    text.bytes().take_while(|byte| like(*byte)).count()
}

/// The class of a character that is told apart from its neighbours.
fn class(letter: char, last: char) -> Class {
    match letter {
        '\0'..='\x7f' if letter == last => Class::SameSign,
        '\0'..='\x7f' => Class::Sign,
        '\u{80}'..='\u{36f}' | '\u{1e00}'..='\u{1eff}' => Class::Accented,
        '\u{370}'..='\u{58f}' | '\u{1f00}'..='\u{1fff}' => Class::Greek,
        '\u{590}'..='\u{8ff}' => Class::Semitic,
        '\u{3040}'..='\u{30ff}' => Class::Kana,
        '\u{2000}'..='\u{2fff}' | '\u{3000}'..='\u{303f}' | '\u{ff00}'..='\u{ffef}' => {
            Class::WideSign
        }
        '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' => Class::Han,
        '\u{ac00}'..='\u{d7ff}' => Class::Hangul,
        '\u{10000}'.. => Class::Astral,
        _ => Class::Other,
    }
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
        features(text).counts[class as usize]
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
        for (one, all) in one.counts.iter().zip(all.counts) {
            // But for the one that counts texts.
            let expected = if all == 1 { 1 } else { one * 20_000 };
            assert!(
                all.abs_diff(expected) * 50 <= expected,
                "{all} for {expected}"
            );
        }
    }
}
