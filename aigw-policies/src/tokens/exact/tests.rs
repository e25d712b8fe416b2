use super::{cut, encoding::Encoding};

const ALL: [Encoding; 4] = [
    Encoding::O200k,
    Encoding::Cl100k,
    Encoding::P50k,
    Encoding::R50k,
];

/// The tokens of a text that is not cut.
fn whole(encoding: Encoding, text: &str) -> u64 {
    encoding.vocabulary().count_ordinary(text) as u64
}

#[test]
fn a_text_with_blanks_or_full_stops_has_as_many_tokens_cut_as_whole() {
    let prose = include_str!("../../../tests/tokens/texts/english.txt").repeat(4);
    let japanese = include_str!("../../../tests/tokens/texts/japanese.txt").repeat(4);
    let arabic = include_str!("../../../tests/tokens/texts/arabic.txt").repeat(4);
    let code = include_str!("../../../tests/tokens/texts/code.txt").repeat(4);
    let odd = "a  b \u{301}c 'd \u{a0} e\r\n f! \t g 12 3 漢。漢 。か、、カ。\u{3000}が don't "
        .repeat(400);
    for text in [prose, japanese, arabic, code, odd] {
        assert!(cut::pieces(&text).count() > 1);
        for encoding in ALL {
            assert_eq!(
                encoding.count(&text),
                whole(encoding, &text),
                "{encoding:?}"
            );
        }
    }
}

#[test]
fn a_text_without_blanks_is_counted_a_token_or_two_too_high_for_each_cut() {
    // Letters that look like chance, and are the same each time.
    let letters = (0..40_000_u32).map(|place| {
        let mixed = place.wrapping_mul(2_654_435_761) >> 13;
        char::from(b'a' + u8::try_from(mixed % 26).unwrap())
    });
    let letters: String = letters.collect();
    for text in [
        letters,
        "a".repeat(40_000),
        "漢字".repeat(6_000),
        "é".repeat(20_000),
    ] {
        let cuts = cut::pieces(&text).count() as u64 - 1;
        for encoding in ALL {
            let (counted, whole) = (encoding.count(&text), whole(encoding, &text));
            assert!(
                (whole..=whole + 2 * cuts).contains(&counted),
                "{encoding:?}: {counted} for {whole}"
            );
        }
    }
}

/// tiktoken-rs alone panics here.
#[test]
fn a_million_blanks_are_counted() {
    let blanks = " ".repeat(1 << 20);
    assert_eq!(Encoding::O200k.count(&blanks), (1 << 20) / 128);
}

#[test]
fn a_model_has_the_encoding_of_its_family() {
    for (model, encoding) in [
        ("gpt-4o-2024-08-06", Some(Encoding::O200k)),
        ("gpt-5.1-codex", Some(Encoding::O200k)),
        ("o3-mini", Some(Encoding::O200k)),
        ("gpt-oss-20b", Some(Encoding::O200k)),
        ("gpt-4-turbo", Some(Encoding::Cl100k)),
        ("ft:gpt-3.5-turbo:org::id", Some(Encoding::Cl100k)),
        ("text-embedding-3-small", Some(Encoding::Cl100k)),
        ("text-davinci-003", Some(Encoding::P50k)),
        ("davinci", Some(Encoding::R50k)),
        ("claude-sonnet-4-5", None),
        ("gemini-2.5-pro", None),
        ("", None),
    ] {
        assert_eq!(Encoding::of(model), encoding, "{model}");
    }
}
