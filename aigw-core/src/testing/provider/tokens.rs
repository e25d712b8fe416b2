//! A tokenizer good enough to be right about itself: pieces join to the text, and usage counts
//! them.

/// Characters of a word in one token, so that long words cost more, as they do with real ones.
const CHARS_PER_TOKEN: usize = 6;

/// Splits a text into tokens: a word with the blank before it, cut every six characters; each other
/// character, and each run of white space, on its own. The pieces join to exactly the text.
pub(super) fn pieces(text: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some(piece) = first_piece(rest) {
        pieces.push(piece);
        rest = rest.strip_prefix(piece).unwrap_or_default();
    }
    pieces
}

/// How many tokens a text is.
pub(super) fn count(text: &str) -> u64 {
    pieces(text).len() as u64
}

fn first_piece(text: &str) -> Option<&str> {
    let first = text.chars().next()?;
    let blank = usize::from(first == ' ');
    let word: usize = text
        .chars()
        .skip(blank)
        .take(CHARS_PER_TOKEN)
        .take_while(|c| c.is_alphanumeric())
        .map(char::len_utf8)
        .sum();
    let len = if word > 0 {
        blank + word
    } else if first.is_whitespace() {
        let run = |c: &char| c.is_whitespace();
        text.chars().take_while(run).map(char::len_utf8).sum()
    } else {
        first.len_utf8()
    };
    text.get(..len)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_join_to_the_text() {
        for text in [
            "",
            "Hello, world!",
            "  two  blanks ",
            "Grüße 🦀 internationalization\n\n",
        ] {
            assert_eq!(pieces(text).concat(), text);
        }
    }

    #[test]
    fn words_take_the_blank_before_them() {
        assert_eq!(pieces("Hello, big world"), ["Hello", ",", " big", " world"]);
        assert_eq!(count("internationalization"), 4);
    }
}
