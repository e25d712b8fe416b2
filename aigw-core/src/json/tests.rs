use std::{ops::Range, sync::LazyLock};

use proptest::prelude::*;

use super::*;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Field {
    Document,
    Model,
    Total,
    Content,
    Choice,
    Tools,
    Flag,
}

static SHAPE: LazyLock<Shape<Field>> = LazyLock::new(|| {
    Shape::new(&[
        ("", Field::Document, Want::Begin),
        ("model", Field::Model, Want::Value),
        ("usage.total", Field::Total, Want::Value),
        ("choices.*", Field::Choice, Want::Begin),
        ("choices.*.delta.content", Field::Content, Want::Length),
        ("tools", Field::Tools, Want::Value),
        ("flag", Field::Flag, Want::Value),
    ])
});

#[derive(Default, Debug, PartialEq)]
struct Heard {
    begins: Vec<(Field, u8, u64)>,
    values: Vec<(Field, String, Range<u64>)>,
    content: u64,
}

impl Sink<Field> for Heard {
    fn begin(&mut self, field: Field, first: u8, at: u64) {
        self.begins.push((field, first, at));
    }

    fn value(&mut self, field: Field, value: Value<'_>, span: Range<u64>) {
        let value = match value {
            Value::String(text) => format!("{:?}", text.decode()),
            other => format!("{other:?}"),
        };
        self.values.push((field, value, span));
    }

    fn length(&mut self, _: Field, bytes: u64, _: u64) {
        self.content += bytes;
    }
}

fn scan(mode: Mode, chunks: &[&[u8]]) -> (Heard, Result<bool, Malformed>) {
    let mut heard = Heard::default();
    let mut scanner = Scanner::new(&SHAPE, mode);
    let scanned = chunks
        .iter()
        .try_for_each(|chunk| scanner.scan(chunk, &mut heard));
    (heard, scanned.map(|()| scanner.is_complete()))
}

fn whole(json: &str) -> Heard {
    let (heard, complete) = scan(Mode::Lenient, &[json.as_bytes()]);
    assert_eq!(complete, Ok(true), "{json}");
    let (strict, complete) = scan(Mode::Strict, &[json.as_bytes()]);
    assert_eq!(complete, Ok(true), "{json}");
    assert_eq!(heard, strict, "{json}");
    heard
}

fn found(json: &str, field: Field) -> Vec<String> {
    whole(json)
        .values
        .into_iter()
        .filter(|(f, ..)| *f == field)
        .map(|(_, v, _)| v)
        .collect()
}

#[test]
fn finds_values_at_their_paths_only() {
    let json = r#"{"a":{"usage":{"total":1}},"s":"\"usage\":{\"total\":2}","usage":{"x":[{"total":3}],
        "total":4},"choices":[{"usage":{"total":5},"delta":{"content":"{\"usage\":{\"total\":6}}"}}]}"#;
    assert_eq!(found(json, Field::Total), ["Number([52])"]);
    assert_eq!(whole(json).content, 21);
}

#[test]
fn spells_out_escaped_keys_and_values() {
    assert_eq!(
        found(r#"{"mod\u0065l":"a\"\ud83d\ude00"}"#, Field::Model),
        [r#"Some("a\"😀")"#]
    );
}

#[test]
fn tells_each_kind_of_value() {
    for (json, told) in [
        ("true", "Bool(true)"),
        ("null", "Null"),
        ("-1.5e+3", "Number([45, 49, 46, 53, 101, 43, 51])"),
        ("[1,{}]", "Container"),
        ("{\"flag\":[]}", "Container"),
    ] {
        assert_eq!(
            found(&format!("{{ \"flag\" : {json} }}"), Field::Flag),
            [told]
        );
    }
}

#[test]
fn tells_where_values_stand() {
    let json = r#"{"model": "m" , "tools":[{"a":[1]}],"choices":[ {}]}"#;
    let heard = whole(json);
    let spans: Vec<_> = heard
        .values
        .iter()
        .map(|(f, _, s)| (*f, &json[s.start as usize..s.end as usize]))
        .collect();
    assert_eq!(
        spans,
        [
            (Field::Model, r#""m""#),
            (Field::Tools, r#"[{"a":[1]}]"#),
            (Field::Choice, "{}"),
            (Field::Document, json),
        ]
    );
    assert_eq!(
        heard.begins,
        [(Field::Document, b'{', 0), (Field::Choice, b'{', 48)]
    );
}

#[test]
fn counts_the_utf8_that_a_string_means() {
    for (content, bytes) in [
        ("日本", 6),
        (r"\n\u0041", 2),
        (r"\u00e9\u65e5", 5),
        (r"\ud83d\ude00", 4),
    ] {
        assert_eq!(
            whole(&format!(
                r#"{{"choices":[{{"delta":{{"content":"{content}"}}}}]}}"#
            ))
            .content,
            bytes
        );
    }
}

#[test]
fn says_when_a_value_is_too_long_to_tell() {
    let fits = "x".repeat(Scanner::<Field>::CAP);
    assert_eq!(
        found(&format!(r#"{{"model":"{fits}"}}"#), Field::Model),
        [format!("Some({fits:?})")]
    );
    assert_eq!(
        found(&format!(r#"{{"model":"{fits}x"}}"#), Field::Model),
        ["TooLong"]
    );
}

#[test]
fn a_strict_document_is_rfc_8259() {
    for bad in [
        "[1,]",
        "{,}",
        "{\"a\":1,}",
        "[1 2]",
        "{\"a\" 1}",
        "[}",
        "{]",
        "01",
        "1.",
        "-",
        "+1",
        ".5",
        "1e",
        "tru",
        "nul1",
        "\"\\x\"",
        "\"\\u12g4\"",
        "\"\n\"",
        "{\"a\":1}}",
        "{} {}",
        "'a'",
        "{a:1}",
        "\u{feff}{}",
        "]",
        "1,2",
    ] {
        let (_, complete) = scan(Mode::Strict, &[bad.as_bytes()]);
        assert_ne!(complete, Ok(true), "{bad}");
        assert!(
            serde_json::from_str::<serde_json::Value>(bad).is_err(),
            "{bad}"
        );
    }
}

#[test]
fn depth_is_bounded_where_it_is_followed() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    let most = usize::from(Scanner::<Field>::MAX_DEPTH);
    assert_eq!(scan(Mode::Strict, &[nested(most).as_bytes()]).1, Ok(true));
    assert!(
        scan(Mode::Strict, &[nested(most + 1).as_bytes()])
            .1
            .unwrap_err()
            .flaw
            == Flaw::TooDeep
    );
    assert_eq!(
        scan(Mode::Lenient, &[nested(100_000).as_bytes()]).1,
        Ok(true)
    );
}

#[test]
fn a_reset_scanner_begins_afresh() {
    let mut heard = Heard::default();
    let mut scanner = Scanner::new(&SHAPE, Mode::Lenient);
    scanner.scan(br#"{"usage":{"total":1"#, &mut heard).unwrap();
    scanner.reset();
    scanner
        .scan(br#"{"usage":{"total":2}}"#, &mut heard)
        .unwrap();
    assert!(scanner.is_complete());
    assert_eq!(heard.values.first().unwrap().1, "Number([50])");
}

#[test]
fn a_strict_key_of_the_shape_stands_once() {
    for json in [
        r#"{"model":"a","model":"b"}"#,
        r#"{"model":"a","mod\u0065l":"b"}"#,
        r#"{"usage":{"total":1},"usage":{}}"#,
    ] {
        let flaw = scan(Mode::Strict, &[json.as_bytes()]).1.unwrap_err().flaw;
        assert!(
            matches!(flaw, Flaw::Twice("model" | "usage")),
            "{json}: {flaw:?}"
        );
        assert_eq!(
            scan(Mode::Lenient, &[json.as_bytes()]).1,
            Ok(true),
            "{json}"
        );
    }
    whole(r#"{"other":1,"other":2,"choices":[{"delta":1},{"delta":2}]}"#);
}

/// JSON that meets the shape often.
fn json() -> impl Strategy<Value = serde_json::Value> {
    let key = prop_oneof![
        "model|usage|total|choices|delta|content|tools|flag",
        ".{0,6}"
    ];
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<f64>().prop_map(Into::into),
        ".{0,40}".prop_map(Into::into),
        "[\"\\\\{}\\[\\]:,u0]{0,20}".prop_map(Into::into),
    ];
    leaf.prop_recursive(6, 48, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Into::into),
            prop::collection::btree_map(key.clone(), inner, 0..6)
                .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
        ]
    })
}

/// What the scanner must find, read from the parsed document.
fn oracle(document: &serde_json::Value) -> (Option<&str>, Option<&serde_json::Value>, u64) {
    let content = document["choices"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|c| c["delta"]["content"].as_str());
    (
        document["model"].as_str(),
        document["usage"].get("total"),
        content.map(|c| c.len() as u64).sum(),
    )
}

fn split<'a>(bytes: &'a [u8], cuts: &[prop::sample::Index]) -> Vec<&'a [u8]> {
    let mut at: Vec<_> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
    at.extend([0, bytes.len()]);
    at.sort_unstable();
    at.windows(2).map(|pair| &bytes[pair[0]..pair[1]]).collect()
}

proptest! {
    #[test]
    fn agrees_with_a_whole_document_parser(document in json(), pretty in any::<bool>(), cuts: Vec<prop::sample::Index>) {
        let text = if pretty { serde_json::to_string_pretty(&document) } else { serde_json::to_string(&document) }.unwrap();
        let (heard, complete) = scan(Mode::Strict, &split(text.as_bytes(), &cuts));
        prop_assert_eq!(complete, Ok(true));
        let (model, total, content) = oracle(&document);
        let told = |field| heard.values.iter().find(|(f, ..)| *f == field).map(|(_, v, _)| v.clone());
        if let Some(model) = model {
            prop_assert_eq!(told(Field::Model), Some(format!("{:?}", Some(model))));
        }
        prop_assert_eq!(told(Field::Total).is_some(), total.is_some());
        prop_assert_eq!(heard.content, content);
        let lenient = scan(Mode::Lenient, &split(text.as_bytes(), &cuts));
        prop_assert_eq!(lenient, (heard, complete));
    }

    #[test]
    fn any_chunking_hears_the_same(bytes: Vec<u8>, cuts: Vec<prop::sample::Index>) {
        for mode in [Mode::Strict, Mode::Lenient] {
            let at_once = scan(mode, &[&bytes]);
            prop_assert_eq!(&scan(mode, &split(&bytes, &cuts)), &at_once);
        }
    }

    #[test]
    fn accepts_what_the_reference_parser_accepts(text in "[\\[\\]{}\",:0-9.eE+\\-truefalsn\\\\ u]{0,24}") {
        let reference = serde_json::from_str::<serde::de::IgnoredAny>(&text).is_ok();
        prop_assert_eq!(scan(Mode::Strict, &[text.as_bytes()]).1 == Ok(true), reference, "{}", text);
    }
}
