//! The inside of a string: runs of plain bytes, and escapes that a chunk boundary may cut.

use wide::u8x16;

use super::{
    Mode,
    block::{equal, run, up_to},
    scanner::after,
};

/// Where in an escape the last chunk ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Escape {
    None,
    Begun,
    Unicode { left: u8, code: u16 },
}

/// The part of a string that stands in one chunk.
pub(super) struct Run {
    /// How many bytes, without the closing quote.
    pub(super) len: usize,
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
    pub(super) fn read(&mut self, rest: &[u8], mode: Mode) -> Result<Run, usize> {
        let (mut len, mut meaning) = (0, 0);
        let mut ended = false;
        while let Some(byte) = rest.get(len) {
            if *self != Self::None {
                meaning += self.step(*byte, mode).ok_or(len)?;
                len += 1;
                continue;
            }
            let easy = easy(after(rest, len), mode);
            len += easy.len;
            meaning += easy.meaning;
            match rest.get(len) {
                Some(b'"') => {
                    ended = true;
                    break;
                }
                Some(b'\\') => *self = Self::Begun,
                Some(_) => return Err(len),
                None => break,
            }
            len += 1;
        }
        Ok(Run {
            len,
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

fn easy(rest: &[u8], mode: Mode) -> Easy {
    let (mut len, mut escapes) = (0, 0);
    loop {
        len += plain_len(after(rest, len), mode);
        match after(rest, len) {
            [b'\\', letter, ..] if is_short(*letter) => {
                len += 2;
                escapes += 1;
            }
            _ => {
                let meaning = len as u64 - escapes;
                return Easy { len, meaning };
            }
        }
    }
}

/// How many bytes stand before the next quote or backslash, or control character where none may
/// stand in a string.
#[inline]
pub(super) fn plain_len(rest: &[u8], mode: Mode) -> usize {
    match mode {
        Mode::Strict => run(
            rest,
            |block| special(block) | up_to(block, 0x1f),
            |byte| is_special(byte) | (byte < 0x20),
        ),
        Mode::Lenient => run(rest, special, is_special),
    }
}

/// Whether a backslash and this byte are a whole escape.
const fn is_short(byte: u8) -> bool {
    matches!(byte, b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't')
}

#[inline]
fn special(block: u8x16) -> u8x16 {
    equal(block, b'"') | equal(block, b'\\')
}

const fn is_special(byte: u8) -> bool {
    (byte == b'"') | (byte == b'\\')
}
