//! What subtrees that nobody reads are passed over by.

use fearless_simd::{Simd, mask8x16, prelude::*, u8x16};

use super::block::{End, run};

/// How many bytes stand before the next quote or bracket.
#[inline]
pub(super) fn flat_len(rest: &[u8]) -> usize {
    run::<Flat>(rest)
}

/// What has neither a quote nor a bracket in it.
enum Flat {}

// The brackets of objects differ from those of arrays by one bit.
impl End for Flat {
    #[inline(always)]
    fn mark<S: Simd>(block: u8x16<S>) -> mask8x16<S> {
        let braces = block | 0x20;
        block.simd_eq(b'"') | braces.simd_eq(b'{') | braces.simd_eq(b'}')
    }

    #[inline(always)]
    fn is(byte: u8) -> bool {
        (byte == b'"') | (byte | 0x20 == b'{') | (byte | 0x20 == b'}')
    }
}
