use memchr::memchr;

/// What part of a JSON string says, whose escapes are whole and none of them half a character.
pub(super) fn unescape(raw: &[u8]) -> Vec<u8> {
    let mut text = Vec::with_capacity(raw.len());
    let mut rest = raw;
    while let Some((plain, escape)) = memchr(b'\\', rest).and_then(|at| rest.split_at_checked(at)) {
        text.extend_from_slice(plain);
        rest = match escape {
            [_, b'u', a, b, c, d, rest @ ..] => {
                let code = [a, b, c, d].into_iter().fold(0, |code, digit| {
                    let digit = char::from(*digit).to_digit(16).unwrap_or_default();
                    code << 4 | digit
                });
                let letter = char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
                text.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes());
                rest
            }
            [_, letter, rest @ ..] => {
                text.push(match letter {
                    b'n' => b'\n',
                    b't' => b'\t',
                    b'r' => b'\r',
                    b'b' => 8,
                    b'f' => 12,
                    itself => *itself,
                });
                rest
            }
            _ => &[],
        };
    }
    text.extend_from_slice(rest);
    text
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
            prop_assert_eq!(unescape(raw.as_bytes()), read.into_bytes());
        }
    }
}
