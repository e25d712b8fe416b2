use memchr::memchr_iter;

/// What part of a JSON string says, whose escapes are whole and none of them half a character;
/// written into `room` where that is not what stands there.
pub(super) fn unescape<'t>(raw: &'t [u8], room: &'t mut Vec<u8>) -> &'t [u8] {
    room.clear();
    let mut read = 0;
    for at in memchr_iter(b'\\', raw) {
        // It is what another one escapes.
        let Some(plain) = raw.get(read..at) else {
            continue;
        };
        if read == 0 {
            room.reserve(raw.len());
        }
        room.extend_from_slice(plain);
        read = at + 2;
        match raw.get(at + 1..).unwrap_or_default() {
            [b'u', a, b, c, d, ..] => {
                let code = [a, b, c, d].into_iter().fold(0, |code, digit| {
                    let digit = char::from(*digit).to_digit(16).unwrap_or_default();
                    code << 4 | digit
                });
                let letter = char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
                room.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes());
                read += 4;
            }
            [letter, ..] => room.push(match letter {
                b'n' => b'\n',
                b't' => b'\t',
                b'r' => b'\r',
                b'b' => 8,
                b'f' => 12,
                itself => *itself,
            }),
            [] => {}
        }
    }
    if read == 0 {
        return raw;
    }
    room.extend_from_slice(raw.get(read..).unwrap_or_default());
    room
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_says_what_serde_reads(
            raw in r#"([ -!#-\[\]-~é猫🦀]|\\["\\/bfnrt]|\\u[0-9a-cA-Ce-fE-F][0-9a-fA-F]{3}){0,40}"#,
        ) {
            let read: String = serde_json::from_str(&format!("\"{raw}\"")).unwrap();
            let mut room = b"of another".to_vec();
            prop_assert_eq!(unescape(raw.as_bytes(), &mut room), read.as_bytes());
        }
    }
}
