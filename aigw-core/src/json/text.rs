//! The inside of a string: runs of plain bytes, and escapes that a chunk boundary may cut.

use super::Mode;

/// Where in an escape the last chunk ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Escape {
    None,
    Begun,
    Unicode { left: u8, code: u16 },
}

/// One step through a string.
pub(super) enum Step {
    /// A run of plain bytes.
    Run(usize),
    /// One byte of an escape, which now means so many bytes of UTF-8 (0 while unfinished).
    Escaped(u64),
    /// The closing quote.
    End,
    /// No string may contain this byte.
    Bad,
}

impl Escape {
    /// Takes the next step; `rest` is not empty. `Run(n)` takes n bytes, every other step one.
    #[inline]
    pub(super) fn step(&mut self, rest: &[u8], mode: Mode) -> Step {
        let Some(&byte) = rest.first() else {
            return Step::Bad;
        };
        match *self {
            Self::None => match byte {
                b'"' => Step::End,
                b'\\' => {
                    *self = Self::Begun;
                    Step::Escaped(0)
                }
                _ => plain_run(rest, mode),
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

/// How far the eye goes byte by byte before a vector search pays.
const NEAR: usize = 16;

#[inline]
fn plain_run(rest: &[u8], mode: Mode) -> Step {
    let len = plain_len(rest);
    let run = rest.get(..len).unwrap_or_default();
    if mode == Mode::Strict
        && run
            .iter()
            .fold(false, |control, byte| control | (*byte < 0x20))
    {
        return match run.iter().position(|byte| *byte < 0x20) {
            None | Some(0) => Step::Bad,
            Some(len) => Step::Run(len),
        };
    }
    Step::Run(len)
}

/// How many bytes stand before the next quote or backslash.
#[inline]
pub(super) fn plain_len(rest: &[u8]) -> usize {
    let (near, far) = rest.split_at(rest.len().min(NEAR));
    match near.iter().position(|byte| matches!(byte, b'"' | b'\\')) {
        Some(len) => len,
        None => near.len() + memchr::memchr2(b'"', b'\\', far).unwrap_or(far.len()),
    }
}
