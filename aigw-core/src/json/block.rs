//! Where a run of bytes ends, looked for in many at once.

use fearless_simd::{Level, Simd, dispatch, mask8x16, prelude::*, u8x16};

/// What ends a run.
pub(super) trait End {
    /// Marks it in a block.
    fn mark<S: Simd>(block: u8x16<S>) -> mask8x16<S>;

    /// Whether this byte does.
    fn is(byte: u8) -> bool;
}

/// How many bytes stand before the first that ends a run.
// Most runs are shorter than what it takes to find out what more the processor has.
#[inline(always)]
pub(super) fn run<E: End>(bytes: &[u8]) -> usize {
    dispatch!(Level::baseline(), simd => run_by::<E, _>(simd, bytes))
}

#[inline(always)]
fn run_by<E: End, S: Simd>(simd: S, bytes: &[u8]) -> usize {
    let (blocks, tail) = bytes.as_chunks::<16>();
    let mut passed = 0;
    for block in blocks {
        let marked = E::mark(u8x16::from_slice(simd, block)).to_bitmask();
        if marked != 0 {
            return passed + marked.trailing_zeros() as usize;
        }
        passed += block.len();
    }
    let end = tail.iter().position(|byte| E::is(*byte));
    passed + end.unwrap_or(tail.len())
}

#[cfg(test)]
mod tests {
    use super::super::{flat::flat_len, text::plain_len};

    /// Every byte at every place where a block or the tail begins or ends.
    fn each(check: impl Fn(u8, usize, &[u8])) {
        for byte in 0..=u8::MAX {
            for at in [0, 1, 7, 15, 16, 17, 31, 32, 33, 47, 48, 63] {
                let mut bytes = [b'a'; 80];
                bytes[at] = byte;
                check(byte, at, &bytes);
                check(byte, at, &bytes[..=at]);
            }
        }
    }

    #[test]
    fn a_string_runs_to_the_same_byte_wherever_that_stands() {
        each(|byte, at, bytes| {
            let special = matches!(byte, b'"' | b'\\' | ..0x20);
            let plain = if special { at } else { bytes.len() };
            assert_eq!(plain_len(bytes), plain, "{byte} at {at}");
        });
    }

    #[test]
    fn a_subtree_runs_to_the_same_byte_wherever_that_stands() {
        each(|byte, at, bytes| {
            let ends = matches!(byte, b'"' | b'{' | b'}' | b'[' | b']');
            let flat = if ends { at } else { bytes.len() };
            assert_eq!(flat_len(bytes), flat, "{byte} at {at}");
        });
    }
}
