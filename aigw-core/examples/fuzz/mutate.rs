//! Chance, and what it does to an input.

/// A generator of pseudo-random numbers (splitmix64): small, fast and the same everywhere.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^ (x >> 31)
    }

    /// Less than `bound`; zero if that is zero.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        let bound = bound as u64;
        (self.next() % bound.max(1)) as usize
    }

    pub(crate) fn pick<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        let place = self.below(from.len());
        from.get(place)
    }
}

/// What parsers trip over.
const TOKENS: &[&[u8]] = &[
    b"{",
    b"}",
    b"[",
    b"]",
    b"\"",
    b":",
    b",",
    b"\\",
    b"\\u",
    b"\\ud800",
    b"\\u0065",
    b"null",
    b"true",
    b"false",
    b"0",
    b"-0",
    b"1e999",
    b"1e5",
    b"-",
    b".5",
    b"18446744073709551616",
    b"\n",
    b"\r",
    b"\r\n",
    b"\n\n",
    b"\r\n\r\n",
    b"data: ",
    b"data",
    b"event: ",
    b"event: error\n",
    b": ",
    b"id: 1\n",
    b"\xef\xbb\xbf",
    b"\xff",
    b"\xc3",
    b"\x00",
    b"\x1f",
    b" ",
    b"\t",
    b"data: [DONE]\n\n",
    b"\"usage\":{}",
    b"\"usage\":null",
    b"\"choices\":[]",
    b"\"model\":\"m\"",
    b"\"model\":\"n\"",
    b"\"stream\":true",
    b"\"stream_options\":{\"include_usage\":false}",
    b"\"error\":{\"message\":\"x\"}",
    b"\"finish_reason\":\"stop\"",
    b"{\"a\":{\"a\":[",
    b"--X",
    b"--X--",
    b"name=\"model\"",
    b"filename=\"f\"",
    b"; ",
    b"=",
    b"\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nm\r\n--X",
    b"1h2m3s",
    b"GMT",
    b"2026-01-01T00:00:00Z",
    b"9999999999999999999999",
    b"+",
    b"inf",
    b"nan",
];

/// Inputs above this many bytes are cut: long ones cost time and find little more.
const LONGEST: usize = 4096;

/// Makes an input of a seed, changed in one to eight ways.
pub(crate) fn mutate(input: &mut Vec<u8>, seeds: &[Vec<u8>], random: &mut Random) {
    input.clear();
    input.extend_from_slice(random.pick(seeds).map_or(&[], Vec::as_slice));
    for _ in 0..=random.below(8) {
        let at = random.below(input.len() + 1);
        let end = at + random.below((input.len() - at).min(64) + 1);
        match random.below(8) {
            0 => {
                if let Some(byte) = input.get_mut(at) {
                    *byte ^= 1 << random.below(8);
                }
            }
            1 => {
                if let Some(byte) = input.get_mut(at) {
                    *byte = random.next() as u8;
                }
            }
            2 | 3 => {
                let token = random.pick(TOKENS).copied().unwrap_or_default();
                let end = if random.below(2) == 0 { at } else { end };
                input.splice(at..end, token.iter().copied());
            }
            4 => {
                let range = input.get(at..end).unwrap_or_default().to_vec();
                input.splice(at..at, range);
            }
            5 => {
                input.drain(at..end);
            }
            6 => input.truncate(at),
            _ => {
                let other = random.pick(seeds).map_or(&[][..], Vec::as_slice);
                let from = random.below(other.len() + 1);
                let to = from + random.below((other.len() - from).min(256) + 1);
                input.splice(
                    at..end,
                    other.get(from..to).unwrap_or_default().iter().copied(),
                );
            }
        }
    }
    input.truncate(LONGEST);
}

/// Up to six pieces of an input, some of them empty.
pub(crate) fn pieces<'i>(input: &'i [u8], random: &mut Random) -> Vec<&'i [u8]> {
    let mut pieces = Vec::new();
    let mut rest = input;
    for _ in 0..random.below(6) {
        let (piece, tail) = rest.split_at(random.below(rest.len() + 1));
        pieces.push(piece);
        rest = tail;
    }
    pieces.push(rest);
    pieces
}
