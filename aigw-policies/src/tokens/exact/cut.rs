//! Cuts long texts, so that no piece of one takes long.
//!
//! A tokenizer first splits a text by a regular expression and then joins the bytes of each split
//! part. Both cost more than linear time on parts without an end, a run of one letter, of blanks, or
//! base64; tiktoken-rs even panics on a million blanks. Cut into pieces, every text takes linear
//! time.

/// The longest piece, in bytes. Prose takes under a millisecond, and what takes longest less than
/// three.
const PIECE: usize = 8 << 10;

/// How far from the end of a piece a harmless place is looked for.
const SEARCH: usize = 4 << 10;

/// The pieces of a text.
///
/// They have as many tokens as the whole where each ends at a [harmless](is_harmless) place. Where
/// none is near, as in base64, the text is cut anywhere between two characters, and each such cut
/// may add a token or two: 29 to the 517,671 of a megabyte of random letters.
pub(super) fn pieces(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let (piece, left) = rest.split_at_checked(end(rest))?;
        rest = left;
        (!piece.is_empty()).then_some(piece)
    })
}

fn end(text: &str) -> usize {
    if text.len() <= PIECE {
        return text.len();
    }
    let last = boundary(text, PIECE);
    let first = boundary(text, PIECE - SEARCH);
    let Some(near) = text.get(first..last) else {
        return last;
    };
    let mut behind = text.get(last..).and_then(|text| text.chars().next());
    for (at, letter) in near.char_indices().rev() {
        if behind.is_some_and(|behind| is_harmless(letter, behind)) {
            return first + at + letter.len_utf8();
        }
        behind = Some(letter);
    }
    last
}

/// The last place between characters that is not behind this one.
fn boundary(text: &str, place: usize) -> usize {
    (0..=place)
        .rev()
        .find(|place| text.is_char_boundary(*place))
        .unwrap_or_default()
}

/// Whether every one of OpenAI's splitting expressions ends a part between these characters,
/// whatever stands around them.
///
/// A blank begins a part unless a blank stands before it: only line ends may follow other signs in
/// one part. And letters of Chinese and Japanese end where a comma or a full stop stands. None of
/// the expressions looks behind, and what looks ahead looks for blanks behind blanks.
fn is_harmless(before: char, behind: char) -> bool {
    match behind {
        ' ' => !before.is_whitespace(),
        '、' | '。' | '，' => {
            matches!(before, '\u{3041}'..='\u{3096}' | '\u{30a1}'..='\u{30fa}' | '\u{4e00}'..='\u{9fff}')
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_the_text_and_none_is_longer_than_may_be() {
        let texts = [
            String::new(),
            "short".to_owned(),
            "a".repeat(3 * PIECE),
            "ä".repeat(2 * PIECE),
            "word ".repeat(PIECE),
            "  \n".repeat(PIECE),
            "猫である。".repeat(PIECE),
            "🦀".repeat(PIECE),
        ];
        for text in texts {
            let all: Vec<_> = pieces(&text).collect();
            assert_eq!(all.concat(), text);
            assert!(all.iter().all(|piece| (1..=PIECE).contains(&piece.len())));
        }
    }

    #[test]
    fn a_text_is_cut_in_front_of_a_blank_or_a_full_stop_where_it_can() {
        for (text, sign) in [("some words ", ' '), ("猫である。", '。')] {
            let text = text.repeat(PIECE);
            assert!(pieces(&text).skip(1).all(|piece| piece.starts_with(sign)));
        }
        // The second of two blanks belongs to the first.
        let blanks = "  ".repeat(PIECE);
        assert_eq!(pieces(&blanks).next().map(str::len), Some(PIECE));
    }
}
