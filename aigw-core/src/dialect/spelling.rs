//! Whether what stands in a URL is a word, however it is spelt.
//!
//! A server decodes percent-escapes before it reads a path or a query (RFC 3986, section 6.2.2.2),
//! so `/chat/%63ompletions` is what it is to a provider, and must be to whoever decides by it.
//!
//! # Examples
//!
//! ```
//! use aigw_core::dialect::spelling;
//!
//! assert!(spelling::in_any_case("API%2DVersion", "api-version"));
//! assert!(!spelling::in_any_case("api_version", "api-version"));
//! assert_eq!(spelling::plain("Embeddings"), "embeddings");
//! assert!(spelling::unescaped("a%2Fb").eq(*b"a/b"));
//! ```

/// Whether `written` is `word` once its percent-escapes are decoded, in upper or lower case (ASCII
/// letters), as Azure reads its paths and the names in its queries. A `+` stands for itself.
#[must_use]
pub fn in_any_case(written: &str, word: &str) -> bool {
    // An escape is longer than what it stands for.
    written.eq_ignore_ascii_case(word)
        || (written.len() > word.len()
            && is_escaped(written)
            && unescaped(written)
                .map(|byte| byte.to_ascii_lowercase())
                .eq(word.bytes().map(|byte| byte.to_ascii_lowercase())))
}

/// Words as those spell them who read no other case, and no escape: `Chat/%43ompletions` is
/// `chat/completions`.
#[must_use]
pub fn plain(words: &str) -> String {
    decoded(words).to_ascii_lowercase()
}

/// The text without its percent-escapes.
pub(super) fn decoded(text: &str) -> Box<str> {
    if !is_escaped(text) {
        return text.into();
    }
    let bytes: Vec<u8> = unescaped(text).collect();
    String::from_utf8_lossy(&bytes).into()
}

/// Whether an escape stands in it. Segments and names are short.
fn is_escaped(text: &str) -> bool {
    text.bytes().any(|byte| byte == b'%')
}

/// The bytes that a text stands for. An escape that is none stands for itself, and so does a `+`.
pub fn unescaped(text: &str) -> impl Iterator<Item = u8> {
    let mut bytes = text.bytes();
    std::iter::from_fn(move || {
        let byte = bytes.next()?;
        let mut ahead = bytes.clone();
        let escaped = (byte == b'%')
            .then(|| Some((hex_digit(ahead.next()?)? << 4) | hex_digit(ahead.next()?)?))
            .flatten();
        if escaped.is_some() {
            bytes = ahead;
        }
        Some(escaped.unwrap_or(byte))
    })
}

fn hex_digit(byte: u8) -> Option<u8> {
    char::from(byte)
        .to_digit(16)
        .and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_cannot_hide_behind_its_spelling() {
        assert!(in_any_case("chat", "chat") && in_any_case("%63h%61T", "chat"));
        assert!(!in_any_case("chat", "chats") && !in_any_case("%63hats", "chat"));
        assert!(in_any_case("API-Version", "api-version"));
        assert!(in_any_case("api%2dVersion", "api-version"));
        assert!(in_any_case("api%2DVersion", "Api-version"));
        assert!(!in_any_case("api_version", "api-version"));
        assert!(!in_any_case("%zzapi-version", "api-version"));
        assert_eq!(plain("Chat/%43ompletions"), "chat/completions");
    }

    #[test]
    fn a_bad_escape_stays_as_it_is() {
        assert_eq!(&*decoded("a%2"), "a%2");
        assert_eq!(&*decoded("%zz%41"), "%zzA");
        assert_eq!(&*decoded("%ff"), "\u{fffd}");
    }

    #[test]
    fn escapes_are_decoded_once() {
        assert_eq!(&*decoded("a%2Fb%2563"), "a/b%63");
        assert_eq!(&*decoded("%%36%31"), "%61");
    }
}
