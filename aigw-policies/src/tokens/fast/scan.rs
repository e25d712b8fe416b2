//! Counts what a text consists of, sixty-four bytes at a time.

use fearless_simd::{Level, Simd, dispatch, prelude::*, u8x64};

use super::class::{Class, Counts};

/// The longest word that is looked at letter by letter.
const SHORT: usize = 16;

/// Counts all of a text in UTF-8.
pub(super) fn scan(bytes: &[u8], counts: &mut Counts) {
    // Every message has its role beside its text.
    if bytes.len() <= SHORT && bytes.iter().all(u8::is_ascii_lowercase) {
        counts.add(Class::Word, u64::from(!bytes.is_empty()));
        counts.add(Class::LongWord, bytes.len().saturating_sub(6) as u64);
        return;
    }
    dispatch!(Level::new(), simd => scan_by(simd, bytes, counts));
}

// What the processor has is found out once a text, for all that is called here is part of it.
#[inline(always)]
fn scan_by<S: Simd>(simd: S, bytes: &[u8], counts: &mut Counts) {
    let (blocks, tail) = bytes.as_chunks::<64>();
    let mut scan = Scan::default();
    for (block, at) in blocks.iter().zip((0..).step_by(64)) {
        scan.block(simd, block, u64::MAX, counts);
        scan.others(bytes, at, counts);
    }
    if !tail.is_empty() {
        let mut block = [0; 64];
        for (to, from) in block.iter_mut().zip(tail) {
            *to = *from;
        }
        scan.block(simd, &block, (1 << tail.len()) - 1, counts);
        scan.others(bytes, bytes.len() - tail.len(), counts);
    }
}

/// What the last block was, a bit for each byte, its last byte the highest.
#[derive(Default)]
struct Scan {
    letters: u64,
    small: u64,
    blanks: u64,
    lines: u64,
    signs: u64,
    /// How many digits the block ended with, in threes.
    digits: u32,
    last: u8,
    /// Where in the block characters beyond ASCII begin.
    begins: u64,
}

impl Scan {
    /// Counts the ASCII of a block, as far as it is `valid`.
    #[inline(always)]
    fn block<S: Simd>(&mut self, simd: S, block: &[u8; 64], valid: u64, counts: &mut Counts) {
        let bytes = u8x64::from_slice(simd, block);
        let letters = valid & range(bytes | 0x20, b'a', b'z');
        let small = valid & range(bytes, b'a', b'z');
        let digits = valid & range(bytes, b'0', b'9');
        let blanks = valid & either(bytes, b' ', b'\t');
        let lines = valid & either(bytes, b'\n', b'\r');
        let ascii = valid & range(bytes, 0, 0x7f);
        self.begins = valid & range(bytes, 0xc0, 0xff);
        let signs = ascii & !(letters | digits | blanks | lines);

        let before = |mask: u64, last: u64, by: u32| (mask << by) | (last >> (64 - by));
        let mut add = |class: Class, mask: u64| counts.add(class, u64::from(mask.count_ones()));
        add(Class::Word, letters & !before(letters, self.letters, 1));
        add(Class::Hump, letters & !small & before(small, self.small, 1));
        // Letters with six before them.
        let two = letters & before(letters, self.letters, 1);
        let last_two = self.letters & (self.letters << 1);
        let four = two & before(two, last_two, 2);
        let last_four = last_two & (last_two << 2);
        let seven = four & before(four, last_four, 3);
        add(Class::LongWord, seven);
        add(Class::Line, lines & !before(lines, self.lines, 1));
        let second = blanks & before(blanks, self.blanks, 1);
        add(Class::Indent, second & !before(blanks, self.blanks, 2));
        let mut same = signs & before(signs, self.signs, 1);
        if same != 0 {
            same &= as_before(simd, block, self.last);
        }
        add(Class::SameSign, same);
        add(Class::Sign, signs & !same);
        if digits != 0 || self.digits != 0 {
            self.numbers(digits, counts);
        }
        self.letters = letters;
        self.small = small;
        self.blanks = blanks;
        self.lines = lines;
        self.signs = signs;
        self.last = block.last().copied().unwrap_or_default();
    }

    /// Counts digits by threes.
    fn numbers(&mut self, digits: u64, counts: &mut Counts) {
        let mut rest = digits;
        let mut goes_on = std::mem::take(&mut self.digits);
        let mut numbers = 0;
        while rest != 0 {
            let begins = rest.trailing_zeros();
            let length = (rest >> begins).trailing_ones();
            // Of the last block's three there may be room for more.
            let before = if begins == 0 { goes_on } else { 0 };
            goes_on = 0;
            numbers += (before + length).div_ceil(3) - before.div_ceil(3);
            let ends = begins + length;
            if ends == 64 {
                self.digits = (before + length) % 3;
                break;
            }
            rest &= u64::MAX << ends;
        }
        counts.add(Class::Number, u64::from(numbers));
    }

    /// Counts the other characters that begin in the block at this place.
    #[inline(always)]
    fn others(&self, bytes: &[u8], at: usize, counts: &mut Counts) {
        let mut begins = self.begins;
        while begins != 0 {
            let begin = at + begins.trailing_zeros() as usize;
            begins &= begins - 1;
            counts.add(
                Class::beyond_ascii(bytes.get(begin..).unwrap_or_default()),
                1,
            );
        }
    }
}

/// The bytes of a block that are as the byte before each; before the first there is this one.
#[inline(always)]
fn as_before<S: Simd>(simd: S, block: &[u8; 64], first: u8) -> u64 {
    let mut before = [first; 64];
    for (to, from) in before.iter_mut().skip(1).zip(block) {
        *to = *from;
    }
    let before = u8x64::from_slice(simd, &before);
    u8x64::from_slice(simd, block).simd_eq(before).to_bitmask()
}

/// The bytes that are one or the other, the first in the lowest bit.
#[inline(always)]
fn either<S: Simd>(bytes: u8x64<S>, one: u8, other: u8) -> u64 {
    (bytes.simd_eq(one) | bytes.simd_eq(other)).to_bitmask()
}

/// The bytes from `first` to `last`.
#[inline(always)]
fn range<S: Simd>(bytes: u8x64<S>, first: u8, last: u8) -> u64 {
    (bytes - first).simd_le(last - first).to_bitmask()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The same, letter by letter.
    fn plainly(text: &str) -> Counts {
        let mut counts = Counts::default();
        let letters: Vec<char> = text.chars().collect();
        let alike = |one: char, other: char| match one {
            'a'..='z' | 'A'..='Z' => other.is_ascii_alphabetic(),
            '0'..='9' => other.is_ascii_digit(),
            ' ' | '\t' => matches!(other, ' ' | '\t'),
            '\n' | '\r' => matches!(other, '\n' | '\r'),
            _ => false,
        };
        let mut last = None;
        for run in letters.chunk_by(|one, other| alike(*one, *other)) {
            let length = run.len() as u64;
            match run[0] {
                'a'..='z' | 'A'..='Z' => {
                    counts.add(Class::Word, 1);
                    counts.add(Class::LongWord, length.saturating_sub(6));
                    let humps = run.windows(2).filter(|pair| {
                        pair[0].is_ascii_lowercase() && pair[1].is_ascii_uppercase()
                    });
                    counts.add(Class::Hump, humps.count() as u64);
                }
                '0'..='9' => counts.add(Class::Number, length.div_ceil(3)),
                ' ' | '\t' => counts.add(Class::Indent, u64::from(length > 1)),
                '\n' | '\r' => counts.add(Class::Line, 1),
                '\0'..='\x7f' if last == Some(run[0]) => counts.add(Class::SameSign, 1),
                '\0'..='\x7f' => counts.add(Class::Sign, 1),
                letter => {
                    let utf8 = letter.to_string();
                    counts.add(Class::beyond_ascii(utf8.as_bytes()), 1);
                }
            }
            last = run.last().copied();
        }
        counts
    }

    fn scanned(text: &str) -> Counts {
        let mut counts = Counts::default();
        scan(text.as_bytes(), &mut counts);
        counts
    }

    #[test]
    fn runs_are_the_same_wherever_a_block_ends() {
        let text = "ab".repeat(40) + &"1".repeat(70) + "aB  \n\n" + &"x==é猫".repeat(30) + "  a";
        for begin in 0..70 {
            assert_eq!(scanned(&text[begin..]), plainly(&text[begin..]), "{begin}");
        }
    }

    proptest! {
        #[test]
        fn it_counts_as_one_who_looks_at_every_letter(
            text in "([a-zA-Z]{1,9}|[0-9]{1,8}|[ \t]{1,3}|[\r\n]{1,3}|[!-~\u{1}]|[ -ӿ]|[　-鿿]|\\PC){0,80}",
        ) {
            prop_assert_eq!(scanned(&text), plainly(&text));
        }
    }
}
