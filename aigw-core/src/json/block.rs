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
        let marks = marks(u8x16::new(*block)).to_bitmask();
        if marks != 0 {
            return passed + marks.trailing_zeros() as usize;
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
