//! What subtrees that nobody reads are passed over by.

use wide::u8x16;

use super::block::{equal, run};

/// How many bytes stand before the next quote or bracket.
#[inline]
pub(super) fn flat_len(rest: &[u8]) -> usize {
    run(rest, marks, stops)
}

// The brackets of objects differ from those of arrays by one bit.

const fn stops(byte: u8) -> bool {
    (byte == b'"') | (byte | 0x20 == b'{') | (byte | 0x20 == b'}')
}

#[inline]
fn marks(block: u8x16) -> u8x16 {
    let braces = block | u8x16::splat(0x20);
    equal(block, b'"') | equal(braces, b'{') | equal(braces, b'}')
}
