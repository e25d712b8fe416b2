//! How large an image is, from its head.

/// In pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Size {
    pub(super) width: u32,
    pub(super) height: u32,
}

impl Size {
    /// Reads the head of a PNG, JPEG, GIF or WebP; `None` if it is none of them, or of no size.
    pub(super) fn read(mut head: impl Iterator<Item = u8>) -> Option<Self> {
        let start: Vec<u8> = head.by_ref().take(30).collect();
        let at = |place: usize| start.get(place).copied().unwrap_or_default();
        let big = |place: usize| {
            u32::from_be_bytes([at(place), at(place + 1), at(place + 2), at(place + 3)])
        };
        let little = |place: usize| u32::from(u16::from_le_bytes([at(place), at(place + 1)]));
        let size = match start.as_slice() {
            [0x89, b'P', b'N', b'G', ..] => Self {
                width: big(16),
                height: big(20),
            },
            [b'G', b'I', b'F', b'8', ..] => Self {
                width: little(6),
                height: little(8),
            },
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
                b'E',
                b'B',
                b'P',
                form @ ..,
            ] => {
                let three = |place: usize| little(place) | (u32::from(at(place + 2)) << 16);
                match form {
                    [b'V', b'P', b'8', b' ', ..] => Self {
                        width: little(26) & 0x3fff,
                        height: little(28) & 0x3fff,
                    },
                    [b'V', b'P', b'8', b'L', ..] => Self {
                        width: (little(21) & 0x3fff) + 1,
                        height: ((three(22) >> 6) & 0x3fff) + 1,
                    },
                    [b'V', b'P', b'8', b'X', ..] => Self {
                        width: three(24) + 1,
                        height: three(27) + 1,
                    },
                    _ => return None,
                }
            }
            [0xff, 0xd8, 0xff, ..] => jpeg(start.iter().copied().chain(head).skip(2))?,
            _ => return None,
        };
        (size.width > 0 && size.height > 0).then_some(size)
    }
}

/// The size in the frame header of a JPEG, behind other segments.
fn jpeg(mut bytes: impl Iterator<Item = u8>) -> Option<Size> {
    loop {
        if bytes.next()? != 0xff {
            return None;
        }
        // Any number of fill bytes may stand before a marker.
        let marker = bytes.by_ref().find(|byte| *byte != 0xff)?;
        let mut pair = || Some(u16::from_be_bytes([bytes.next()?, bytes.next()?]));
        let length = pair()?;
        // The frame headers, but for the three markers among them that are none.
        if matches!(marker, 0xc0..=0xcf) && !matches!(marker, 0xc4 | 0xc8 | 0xcc) {
            bytes.next()?;
            let mut pair = || {
                Some(u32::from(u16::from_be_bytes([
                    bytes.next()?,
                    bytes.next()?,
                ])))
            };
            let (height, width) = (pair()?, pair()?);
            return Some(Size { width, height });
        }
        let rest = usize::from(length.checked_sub(2)?);
        if rest > 0 {
            bytes.nth(rest - 1)?;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn size(width: u32, height: u32) -> Size {
        Size { width, height }
    }

    fn read(bytes: &[u8]) -> Option<Size> {
        Size::read(bytes.iter().copied())
    }

    #[test]
    fn the_size_stands_in_the_head() {
        let png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x03\x20\0\0\x02\x58";
        assert_eq!(read(png), Some(size(800, 600)));
        assert_eq!(read(b"GIF89a\x20\x03\x58\x02"), Some(size(800, 600)));
        let lossy = b"RIFF....WEBPVP8 ....\0\0\0\x9d\x01\x2a\x20\x03\x58\x02";
        assert_eq!(read(lossy), Some(size(800, 600)));
        let bits: u32 = (799) | (599 << 14);
        let lossless = [b"RIFF....WEBPVP8L....\x2f".as_slice(), &bits.to_le_bytes()].concat();
        assert_eq!(read(&lossless), Some(size(800, 600)));
        let extended = b"RIFF....WEBPVP8X........\x1f\x03\0\x57\x02\0";
        assert_eq!(read(extended), Some(size(800, 600)));
        let frame = b"\xff\xc2\0\x11\x08\x02\x58\x03\x20";
        let jpeg = [
            b"\xff\xd8\xff\xe0\0\x04ab\xff\xff\xdb\0\x02".as_slice(),
            frame,
        ]
        .concat();
        assert_eq!(read(&jpeg), Some(size(800, 600)));
    }

    #[test]
    fn a_head_that_is_cut_or_foreign_has_no_size() {
        for bytes in [
            b"".as_slice(),
            b"\x89PNG",
            b"GIF89a",
            b"%PDF",
            b"\xff\xd8\xff\xe0\xff\xff",
            b"\xff\xd8\xff\xe0\0\0\xff",
            b"RIFF....WEBPVP9 ",
        ] {
            assert_eq!(read(bytes), None, "{bytes:?}");
        }
    }
}
