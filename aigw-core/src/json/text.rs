//! The inside of a string: runs of plain bytes, and escapes that a chunk boundary may cut.

use super::Mode;

/// Where in an escape the last chunk ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Escape {
    None,
    Begun,
    Unicode { left: u8, code: u16 },
}

/// What a byte that ends a run of plain bytes means.
pub(super) enum Step {
    /// A part of an escape, which now means so many bytes of UTF-8 (0 while unfinished).
    Escaped(u64),
    /// The closing quote.
    End,
    /// No string may contain this byte.
    Bad,
}

impl Escape {
    /// Takes a byte of an escape, or one behind a [run of plain bytes](plain_len).
    #[inline]
    pub(super) fn step(&mut self, byte: u8, mode: Mode) -> Step {
        match *self {
            Self::None => match (byte, mode) {
                (b'"', _) => Step::End,
                (b'\\', _) => {
                    *self = Self::Begun;
                    Step::Escaped(0)
                }
                // A control character, which must not stand here as it is.
                (_, Mode::Strict) => Step::Bad,
                (_, Mode::Lenient) => Step::Escaped(1),
            },
            Self::Begun => self.begun(byte, mode),
            Self::Unicode { left, code } => self.unicode(byte, left, code, mode),
        }
    }

    fn begun(&mut self, byte: u8, mode: Mode) -> Step {
        *self = Self::None;
        match byte {
            b'u' => {
                *self = Self::Unicode { left: 4, code: 0 };
                Step::Escaped(0)
            }
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Step::Escaped(1),
            _ if mode == Mode::Lenient => Step::Escaped(1),
            _ => Step::Bad,
        }
    }

    fn unicode(&mut self, byte: u8, left: u8, code: u16, mode: Mode) -> Step {
        let digit = match (char::from(byte).to_digit(16), mode) {
            (Some(digit), _) => digit as u16,
            (None, Mode::Lenient) => 0,
            (None, Mode::Strict) => return Step::Bad,
        };
        let code = (code << 4) | digit;
        if left > 1 {
            *self = Self::Unicode {
                left: left - 1,
                code,
            };
            return Step::Escaped(0);
        }
        *self = Self::None;
        Step::Escaped(match code {
            0..0x80 => 1,
            0x80..0x800 => 2,
            // Each half of a surrogate pair is half of a character of four bytes.
            0xd800..0xe000 => 2,
            _ => 3,
        })
    }
}

/// How many bytes stand before the next quote, backslash or control character.
#[inline]
pub(super) fn plain_len(rest: &[u8]) -> usize {
    run(
        rest,
        |byte| (byte == b'"') | (byte == b'\\') | (byte < 0x20),
        |word| equal(word, b'"') | equal(word, b'\\') | below(word, 0x20),
    )
}

/// How many bytes stand before the next quote or bracket.
#[inline]
pub(super) fn flat_len(rest: &[u8]) -> usize {
    // The brackets of objects differ from those of arrays by one bit.
    run(
        rest,
        |byte| (byte == b'"') | (byte | 0x20 == b'{') | (byte | 0x20 == b'}'),
        |word| {
            let braces = word | (0x20 * ONES);
            equal(word, b'"') | equal(braces, b'{') | equal(braces, b'}')
        },
    )
}

/// How many bytes stand before the first that `stops`. `marks` asks the same of eight bytes at
/// once: the lowest mark it sets is in the top bit of the first byte that stops.
#[inline]
fn run(bytes: &[u8], stops: impl Fn(u8) -> bool, marks: impl Fn(u64) -> u64) -> usize {
    let (near, far) = bytes.split_at(bytes.len().min(NEAR));
    let len = words(near, &stops, &marks);
    if len < near.len() {
        return len;
    }
    // Compilers turn a block without branches into vector instructions.
    let (blocks, _) = far.as_chunks::<32>();
    let clear = |block: &&[u8; 32]| !block.iter().fold(false, |any, byte| any | stops(*byte));
    let passed = len + blocks.iter().take_while(clear).count() * 32;
    passed + words(bytes.get(passed..).unwrap_or_default(), &stops, &marks)
}

/// Most keys and many values are shorter.
const NEAR: usize = 16;

#[inline]
fn words(bytes: &[u8], stops: impl Fn(u8) -> bool, marks: impl Fn(u64) -> u64) -> usize {
    let (words, tail) = bytes.as_chunks::<8>();
    let mut passed = 0;
    for word in words {
        let marks = marks(u64::from_le_bytes(*word));
        if marks != 0 {
            return passed + marks.trailing_zeros() as usize / 8;
        }
        passed += 8;
    }
    let stop = tail.iter().position(|byte| stops(*byte));
    passed + stop.unwrap_or(tail.len())
}

/// Each byte 1, each byte 0x80.
const ONES: u64 = u64::from_le_bytes([1; 8]);
const TOPS: u64 = u64::from_le_bytes([0x80; 8]);

/// Marks the bytes below `bound` (at most 0x80); a borrow may mark more, but only above the lowest.
#[inline]
fn below(word: u64, bound: u8) -> u64 {
    word.wrapping_sub(ONES * u64::from(bound)) & !word & TOPS
}

/// Marks the bytes that are `byte`, as [`below`] does.
#[inline]
fn equal(word: u64, byte: u8) -> u64 {
    below(word ^ (ONES * u64::from(byte)), 1)
}
