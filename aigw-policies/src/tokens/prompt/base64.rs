/// The bytes that base64 stands for, in either alphabet; what is not of it is passed over. Ends with
/// the padding.
#[derive(Clone, Debug)]
pub(super) struct Decoded<'a> {
    digits: std::slice::Iter<'a, u8>,
    bits: u32,
    count: u32,
}

impl<'a> Decoded<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self {
            digits: text.as_bytes().iter(),
            bits: 0,
            count: 0,
        }
    }
}

impl Iterator for Decoded<'_> {
    type Item = u8;

    fn next(&mut self) -> Option<u8> {
        while self.count < 8 {
            let digit = match self.digits.next()? {
                letter @ b'A'..=b'Z' => letter - b'A',
                letter @ b'a'..=b'z' => letter - b'a' + 26,
                digit @ b'0'..=b'9' => digit - b'0' + 52,
                b'+' | b'-' => 62,
                b'/' | b'_' => 63,
                b'=' => return None,
                _ => continue,
            };
            self.bits = (self.bits << 6) | u32::from(digit);
            self.count += 6;
        }
        self.count -= 8;
        Some((self.bits >> self.count) as u8)
    }
}

/// How many bytes so much base64 stands for, about.
pub(super) fn len(text: &str) -> u64 {
    text.len() as u64 / 4 * 3
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(text: &str) -> Vec<u8> {
        Decoded::new(text).collect()
    }

    #[test]
    fn both_alphabets_padding_and_line_ends_are_read() {
        assert_eq!(decoded("aGVsbG8="), b"hello");
        assert_eq!(decoded("aGVs\r\nbG8"), b"hello");
        assert_eq!(decoded("-_8="), decoded("+/8="));
        assert_eq!(decoded(""), b"");
        assert_eq!(decoded("a=aaaa"), b"");
    }
}
