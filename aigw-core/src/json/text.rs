//! The inside of a string: runs of plain bytes, and escapes that a chunk boundary may cut.

use wide::{u8x16, u8x32};

use super::{
    Mode,
    block::{equal, run, up_to},
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
        let mut ended = false;
        while let Some(byte) = rest.get(len) {
            if *self != Self::None {
                meaning += self.step(*byte, mode).ok_or(len)?;
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

/// Block after block, since a text has an escape in every other line and each is passed over
/// without a new beginning.
fn easy(rest: &[u8]) -> Easy {
    let (blocks, _) = rest.as_chunks();
    let (mut len, mut escapes) = (0, 0);
    // Bit 0: the first byte of the next block is the letter of an escape that the last one began.
    let mut letter = 0;
    for block in blocks {
        let mut marks = specials(u8x32::new(*block)).to_bitmask() & !letter;
        letter = 0;
        while marks != 0 {
            let begin = marks.trailing_zeros();
            let at = len + begin as usize;
            if !begins_with_short_escape(rest.get(at..).unwrap_or_default()) {
                let meaning = at as u64 - escapes;
                return Easy { len: at, meaning };
            }
            let escape = 0b11_u64 << begin;
            marks &= !(escape as u32);
            letter = (escape >> u32::BITS) as u32;
            escapes += 1;
        }
        len += block.len();
    }
    len += letter as usize;
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

fn begins_with_short_escape(rest: &[u8]) -> bool {
    matches!(rest, [b'\\', letter, ..] if is_short(*letter))
}

/// Whether a backslash and this byte are a whole escape.
const fn is_short(byte: u8) -> bool {
    matches!(byte, b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't')
}

/// How many bytes stand before the next quote, backslash or control character.
#[inline]
pub(super) fn plain_len(rest: &[u8]) -> usize {
    run(rest, special, |byte| matches!(byte, b'"' | b'\\' | ..0x20))
}

// A quote, but for one bit, is the first character behind the control characters: then one
// comparison marks both.

#[inline]
fn special(block: u8x16) -> u8x16 {
    up_to(block ^ u8x16::splat(0x02), 0x20) | equal(block, b'\\')
}

#[inline]
fn specials(block: u8x32) -> u8x32 {
    let bent = block ^ u8x32::splat(0x02);
    bent.min(u8x32::splat(0x20)).simd_eq(bent) | block.simd_eq(u8x32::splat(b'\\'))
}
