//! How long a sound is, from its head.

/// A length of time as an encoder counts it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Millis(u64);

impl Millis {
    /// What a sound is taken to last whose head does not say: a sentence or two.
    pub(super) const USUAL: Self = Self(10_000);

    pub(super) fn tokens(self, per_second: u64) -> u64 {
        self.0.saturating_mul(per_second).div_ceil(1000)
    }
}

/// Reads a sound of so many bytes in all; `None` if it is none. Its length is known of WAV, and of
/// MP3 as far as it keeps the bit rate that it begins with.
pub(super) fn read(mut head: impl Iterator<Item = u8>, bytes: u64) -> Option<Option<Millis>> {
    let start = take::<44>(&mut head);
    let start = start.as_slice();
    match start {
        [
            b'R',
            b'I',
            b'F',
            b'F',
            _,
            _,
            _,
            _,
            b'W',
            b'A',
            b'V',
            b'E',
            ..,
        ] => {
            let rate = start.get(28..32).and_then(|rate| rate.try_into().ok());
            let rate = u64::from(u32::from_le_bytes(rate.unwrap_or_default()));
            Some(length(bytes.saturating_sub(44), rate))
        }
        [b'I', b'D', b'3', _, _, _, a, b, c, d, ..] => {
            // Seven bits in each byte.
            let size = [a, b, c, d].iter().fold(0_usize, |size, part| {
                (size << 7) | usize::from(**part & 0x7f)
            });
            let rest = start.iter().copied().chain(head);
            let mut frame = rest.skip(10 + size);
            let frame = take::<4>(&mut frame);
            let sound = bytes.saturating_sub(10 + size as u64);
            Some(mp3_rate(&frame).and_then(|rate| length(sound, rate)))
        }
        [0xff, ..] => mp3_rate(start).map(|rate| length(bytes, rate)),
        [b'O', b'g', b'g', b'S', ..] | [b'f', b'L', b'a', b'C', ..] => Some(None),
        [_, _, _, _, b'f', b't', b'y', b'p', b'M', b'4', b'A', ..] => Some(None),
        _ => None,
    }
}

fn take<const N: usize>(bytes: &mut impl Iterator<Item = u8>) -> Vec<u8> {
    bytes.take(N).collect()
}

fn length(bytes: u64, rate: u64) -> Option<Millis> {
    bytes.saturating_mul(1000).checked_div(rate).map(Millis)
}

/// Bytes per second of an MP3 frame.
fn mp3_rate(frame: &[u8]) -> Option<u64> {
    /// Kilobits per second of MPEG-1 and of MPEG-2, layer III.
    const RATES: [[u64; 16]; 2] = [
        [
            0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 0,
        ],
        [
            0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160, 0,
        ],
    ];
    let [0xff, version, rate, ..] = frame else {
        return None;
    };
    // Eleven bits of synchronization, two of version, two of layer.
    if version & 0xe6 != 0xe2 {
        return None;
    }
    let rates = RATES.get(usize::from(version & 0x08 == 0))?;
    let kilobits = rates.get(usize::from(rate >> 4)).copied()?;
    (kilobits > 0).then_some(kilobits * 125)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wav(rate: u32) -> Vec<u8> {
        let mut head = b"RIFF....WAVEfmt ................".to_vec();
        head[28..32].copy_from_slice(&rate.to_le_bytes());
        head.resize(44, 0);
        head
    }

    fn read(bytes: Vec<u8>, len: u64) -> Option<Option<Millis>> {
        super::read(bytes.into_iter(), len)
    }

    #[test]
    fn a_wav_says_how_many_bytes_a_second_has() {
        assert_eq!(read(wav(32_000), 44 + 80_000), Some(Some(Millis(2_500))));
        assert_eq!(read(wav(0), 80_000), Some(None));
        assert_eq!(read(wav(32_000), 3), Some(Some(Millis(0))));
    }

    #[test]
    fn an_mp3_says_its_bit_rate_behind_its_tags_too() {
        let frame = vec![0xff, 0xfb, 0x90, 0x00];
        assert_eq!(read(frame.clone(), 160_000), Some(Some(Millis(10_000))));
        let tagged = [b"ID3\x04\0\0\0\0\x01\x00".to_vec(), vec![0; 128], frame].concat();
        let expected = Some(Some(Millis(10_000)));
        assert_eq!(read(tagged, 160_000 + 138), expected);
        assert_eq!(read(b"ID3\x04\0\0\x7f\x7f\x7f\x7f".to_vec(), 9), Some(None));
    }

    #[test]
    fn what_is_no_sound_is_none() {
        assert_eq!(read(b"OggS".to_vec(), 9), Some(None));
        assert_eq!(read(b"%PDF-1.7".to_vec(), 9), None);
        assert_eq!(read(vec![0xff, 0xd8, 0xff], 9), None);
        assert_eq!(read(Vec::new(), 0), None);
    }

    #[test]
    fn a_begun_token_counts() {
        assert_eq!(Millis(2_501).tokens(10), 26);
        assert_eq!(Millis(0).tokens(10), 0);
    }
}
