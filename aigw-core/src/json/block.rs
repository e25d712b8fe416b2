//! Where a run of bytes ends, looked for in many at once.

use wide::u8x16;

/// How many bytes stand before the first that ends a run, as `marks` marks it in a block and `ends`
/// in a byte.
#[inline]
pub(super) fn run(
    bytes: &[u8],
    marks: impl Fn(u8x16) -> u8x16,
    ends: impl Fn(u8) -> bool,
) -> usize {
    let (blocks, tail) = bytes.as_chunks();
    let mut passed = 0;
    for block in blocks {
        let marked = marks(u8x16::new(*block)).to_bitmask();
        if marked != 0 {
            return passed + marked.trailing_zeros() as usize;
        }
        passed += block.len();
    }
    let end = tail.iter().position(|byte| ends(*byte));
    passed + end.unwrap_or(tail.len())
}

/// Marks the bytes that are `byte`.
#[inline]
pub(super) fn equal(block: u8x16, byte: u8) -> u8x16 {
    block.simd_eq(u8x16::splat(byte))
}

/// Marks the bytes that are at most `most`.
#[inline]
pub(super) fn up_to(block: u8x16, most: u8) -> u8x16 {
    block.min(u8x16::splat(most)).simd_eq(block)
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
