//! The inside of a string: runs of plain bytes, and escapes that a chunk boundary may cut.

use fearless_simd::{Level, Simd, dispatch, mask8x16, prelude::*, u8x16, u8x64};

use super::{
    Mode,
    block::{End, run},
};

/// Where in an escape the last chunk ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Escape {
    None,
    Begun,
    Unicode { left: u8, code: u16 },
}

/// The part of a string that stands in one chunk.
pub(super) struct Run<'c> {
    /// Its bytes, without the closing quote.
    pub(super) raw: &'c [u8],
    /// How many bytes of UTF-8 they mean.
    pub(super) meaning: u64,
    /// Whether an escape of a code stands in it.
    pub(super) has_codes: bool,
    /// Whether the closing quote follows.
    pub(super) ended: bool,
}

/// What a byte of an escape means: so many bytes of UTF-8 (0 while unfinished), or `None` where it
/// cannot stand.
type Meaning = Option<u64>;

impl Escape {
    /// Reads on in a string. Where it cannot go on, the error is how many bytes could be read.
    pub(super) fn read<'c>(&mut self, rest: &'c [u8], mode: Mode) -> Result<Run<'c>, usize> {
        let (mut len, mut meaning) = (0, 0);
        let (mut has_codes, mut ended) = (false, false);
        while let Some(byte) = rest.get(len) {
            if *self != Self::None {
                meaning += self.step(*byte, mode).ok_or(len)?;
                has_codes |= *self != Self::None;
                len += 1;
                continue;
            }
            let easy = easy(rest.get(len..).unwrap_or_default());
            len += easy.len;
            meaning += easy.meaning;
            match rest.get(len) {
                Some(b'"') => {
                    ended = true;
                    break;
                }
                Some(b'\\') => *self = Self::Begun,
                Some(_) if mode == Mode::Strict => return Err(len),
                // A control character that should be escaped.
                Some(_) => meaning += 1,
                None => break,
            }
            len += 1;
        }
        let raw = rest.get(..len).unwrap_or_default();
        Ok(Run {
            raw,
            meaning,
            has_codes,
            ended,
        })
    }

    #[inline]
    fn step(&mut self, byte: u8, mode: Mode) -> Meaning {
        match *self {
            Self::Unicode { left, code } => self.unicode(byte, left, code, mode),
            _ => self.begun(byte, mode),
        }
    }

    #[inline]
    fn begun(&mut self, byte: u8, mode: Mode) -> Meaning {
        *self = Self::None;
        match byte {
            b'u' => {
                *self = Self::Unicode { left: 4, code: 0 };
                Some(0)
            }
            _ if is_short(byte) => Some(1),
            _ => (mode == Mode::Lenient).then_some(1),
        }
    }

    fn unicode(&mut self, byte: u8, left: u8, code: u16, mode: Mode) -> Meaning {
        let digit = match (char::from(byte).to_digit(16), mode) {
            (Some(digit), _) => digit as u16,
            (None, Mode::Lenient) => 0,
            (None, Mode::Strict) => return None,
        };
        let code = (code << 4) | digit;
        if left > 1 {
            *self = Self::Unicode {
                left: left - 1,
                code,
            };
            return Some(0);
        }
        *self = Self::None;
        Some(match code {
            0..0x80 => 1,
            0x80..0x800 => 2,
            // Each half of a surrogate pair is half of a character of four bytes.
            0xd800..0xe000 => 2,
            _ => 3,
        })
    }
}

/// Plain bytes and whole escapes of one letter: how many bytes, and what they mean.
struct Easy {
    len: usize,
    meaning: u64,
}

fn easy(rest: &[u8]) -> Easy {
    dispatch!(Level::new(), simd => easy_by(simd, rest))
}

/// Block after block, and all escapes of a block at once: a text has one in every other line, and
/// no processor foresees where.
#[inline(always)]
fn easy_by<S: Simd>(simd: S, rest: &[u8]) -> Easy {
    let (blocks, _) = rest.as_chunks::<64>();
    let (mut len, mut escapes) = (0, 0);
    // Whether the first byte of the next block is the letter of an escape that the last one began.
    let mut letter = 0;
    for block in blocks {
        let block = u8x64::from_slice(simd, block);
        let backslashes = block.simd_eq(b'\\').to_bitmask();
        let letters = letters(backslashes, letter);
        let special = (block ^ 0x02).simd_le(0x20).to_bitmask();
        let ends = special & !letters | letters & !shorts(block);
        if ends != 0 {
            let end = ends.trailing_zeros();
            let passed = letters & ((1 << end) - 1);
            // An escape that is none of the short ones is left whole.
            let is_escape = letters >> end & 1;
            let at = len + end as usize - is_escape as usize;
            escapes += u64::from(passed.count_ones());
            let meaning = at as u64 - escapes;
            return Easy { len: at, meaning };
        }
        escapes += u64::from(letters.count_ones());
        letter = (backslashes & !letters) >> 63;
        len += 64;
    }
    if letter != 0 {
        // Its letter, if there is one, is behind the blocks.
        len -= 1;
    }
    loop {
        let tail = rest.get(len..).unwrap_or_default();
        len += plain_len(tail);
        if !begins_with_short_escape(rest.get(len..).unwrap_or_default()) {
            let meaning = len as u64 - escapes;
            return Easy { len, meaning };
        }
        len += 2;
        escapes += 1;
    }
}

/// The bytes of a block that are letters of escapes: those that an odd number of backslashes stands
/// before. The first is one if the last block ended with an escape's backslash.
#[inline(always)]
fn letters(backslashes: u64, first: u64) -> u64 {
    const EVEN: u64 = 0x5555_5555_5555_5555;
    let backslashes = backslashes & !first;
    let behind = backslashes << 1 | first;
    // In a run that begins at an even place every odd place is a letter, and the other way round.
    // Adding its first bit to a run clears it, so its places are told from all others.
    let odd_runs = backslashes.wrapping_add(backslashes & !EVEN & !behind);
    (EVEN ^ (odd_runs << 1)) & behind
}

/// The bytes of a block that are letters of short escapes, behind a backslash.
#[inline(always)]
fn shorts<S: Simd>(block: u8x64<S>) -> u64 {
    let quoting = block.simd_eq(b'"') | block.simd_eq(b'\\') | block.simd_eq(b'/');
    let line = block.simd_eq(b'n') | block.simd_eq(b'r') | block.simd_eq(b'f');
    let blank = block.simd_eq(b't') | block.simd_eq(b'b');
    (quoting | line | blank).to_bitmask()
}

fn begins_with_short_escape(rest: &[u8]) -> bool {
    matches!(rest, [b'\\', letter, ..] if is_short(*letter))
}

/// Whether a backslash and this byte are a whole escape.
const fn is_short(byte: u8) -> bool {
    matches!(byte, b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't')
}

/// How many bytes stand before the next quote, backslash or control character.
#[inline(always)]
pub(super) fn plain_len(rest: &[u8]) -> usize {
    run::<Plain>(rest)
}

/// What stands in a string as it is meant.
enum Plain {}

// A quote, but for one bit, is the first character behind the control characters: then one
// comparison marks both.
impl End for Plain {
    #[inline(always)]
    fn mark<S: Simd>(block: u8x16<S>) -> mask8x16<S> {
        (block ^ 0x02).simd_le(0x20) | block.simd_eq(b'\\')
    }

    #[inline(always)]
    fn is(byte: u8) -> bool {
        matches!(byte, b'"' | b'\\' | ..0x20)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The same, byte by byte.
    fn plainly(rest: &[u8]) -> (usize, u64) {
        let (mut len, mut meaning) = (0, 0);
        loop {
            let escape = begins_with_short_escape(&rest[len..]);
            match rest.get(len) {
                None | Some(b'"' | b'\\' | ..0x20) if !escape => return (len, meaning),
                _ => len += 1 + usize::from(escape),
            }
            meaning += 1;
        }
    }

    proptest! {
        #[test]
        fn an_escape_is_one_wherever_a_block_ends(
            before in "a{0,70}",
            text in r#"(\\{0,5}|\\["nt/u]|[a-zé]|"|\n){0,90}"#,
        ) {
            for text in [format!("{before}{text}"), before + &"a\\n\\\\".repeat(40) + &text] {
                let Easy { len, meaning } = easy(text.as_bytes());
                prop_assert_eq!((len, meaning), plainly(text.as_bytes()));
            }
        }
    }
}
