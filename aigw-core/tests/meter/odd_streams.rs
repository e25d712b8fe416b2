//! Streams that no vendor documents, but that some backend sends.

use aigw_core::{
    meter::{Ending, IncludeUsage},
    outcome::{Fault, FaultKind},
    usage::Source,
};
use http::header::CONTENT_ENCODING;

use crate::{
    answer::{ASKED, CHAT, JSON, SSE, STREAM, answer, chat, ok, read},
    support::{Script, cut},
};

const TRUNCATED: Ending = Ending::Fault(Fault::dispatched(FaultKind::Truncated));
const STOP: &str = r#"data: {"choices":[{"delta":{},"finish_reason":"stop"}]}"#;
const USAGE: &str = r#"data: {"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":4}}"#;

fn content(text: &str) -> String {
    let text = serde_json::Value::from(text);
    format!("data: {{\"choices\":[{{\"delta\":{{\"content\":{text}}}}}]}}\n\n")
}

#[test]
fn a_line_of_a_mebibyte_is_read_and_the_usage_after_it_too() {
    let long = "x".repeat(1 << 20);
    let stream = format!("{}{STOP}\n\n{USAGE}\n\n", content(&long));
    for size in [1 << 21, 16 << 10, 997] {
        let (read, meter, ending) = chat(Script::chunks(stream.as_bytes().chunks(size)));
        assert!(read.bytes() == stream.as_bytes());
        assert_eq!(meter.content_bytes(), 1 << 20);
        assert_eq!((meter.usage().total(), ending), (Some(7), Ending::Complete));
    }
}

#[test]
fn content_is_counted_in_bytes_of_utf_8_however_it_is_escaped_and_cut() {
    for (spelt, bytes) in [
        ("日本語", 9),
        (r"\u65e5\u672C", 6),
        (r"\ud83d\ude00", 4),
        ("😀", 4),
        (r#"\"\\\/\b\f\n\r\t"#, 8),
        (r"\u00e9\u0041", 3),
        ("", 0),
    ] {
        let stream =
            format!("data: {{\"choices\":[{{\"delta\":{{\"content\":\"{spelt}\"}}}}]}}\n\n");
        for place in 0..stream.len() {
            let (_, meter, _) = chat(Script::chunks(cut(stream.as_bytes(), [place])));
            assert_eq!(meter.content_bytes(), bytes, "{spelt} cut at {place}");
        }
    }
}

#[test]
fn what_is_not_stated_is_counted_from_the_content() {
    let stream = format!("{}{STOP}\n\n", content("123456789"));
    let (_, meter, _) = chat(Script::chunks([stream]));
    assert_eq!(
        (meter.source(), meter.usage().output()),
        (Source::Counted, Some(3))
    );
    assert_eq!(meter.usage().input(), None);
    assert!(meter.reported().is_empty());
}

#[test]
fn a_malformed_event_in_the_middle_hides_no_other() {
    for bad in [
        "data: {\"choices\":[{\"delta\":{\"content\":\"ab\"}},,,",
        "data: not json",
        "data: {\"usage\":{\"prompt_tokens\":}}",
        "data: }",
        "data: \u{0}\u{1}",
        "data: \"\\uzzzz",
        "nonsense",
        "data: [[[[[[",
    ] {
        let stream = format!("{}{bad}\n\n{STOP}\n\n{USAGE}\n\n", content("x"));
        for place in 0..stream.len() {
            let (read, meter, ending) = chat(Script::chunks(cut(stream.as_bytes(), [place])));
            assert_eq!(read.text(), stream);
            assert_eq!(
                (meter.usage().total(), ending),
                (Some(7), Ending::Complete),
                "{bad}"
            );
        }
    }
}

#[test]
fn bytes_that_are_not_utf_8_pass_and_harm_nothing() {
    let mut stream = content("ok").into_bytes();
    stream.extend_from_slice(
        b"data: {\"model\":\"\xff\xfe\",\"choices\":[{\"delta\":{\"content\":\"\xff\"}}]}\n\n",
    );
    stream.extend_from_slice(format!("{STOP}\n\n{USAGE}\n\n").as_bytes());
    let (read, meter, ending) = chat(Script::chunks(stream.chunks(3)));
    assert_eq!(read.bytes(), stream);
    assert_eq!((meter.model(), meter.content_bytes()), (None, 3));
    assert_eq!((meter.usage().total(), ending), (Some(7), Ending::Complete));
}

#[test]
fn the_word_usage_counts_only_at_its_own_place() {
    for event in [
        r#"{"choices":[{"delta":{"content":"\"usage\":{\"prompt_tokens\":99}"}}]}"#,
        r#"{"choices":[{"delta":{"content":"usage"},"usage":{"prompt_tokens":99}}]}"#,
        r#"{"choices":[{"usage":{"completion_tokens":99}}]}"#,
        r#"{"x":{"usage":{"prompt_tokens":99}}}"#,
        r#"{"x":"usage","prompt_tokens":99}"#,
        r#"[{"usage":{"prompt_tokens":99}}]"#,
        r#"{"usage":[{"prompt_tokens":99}]}"#,
        r#"{"usage":{"x":{"prompt_tokens":99}}}"#,
        r#"{"usage":{"prompt_tokens":"99"}}"#,
        r#"{"usage":{"prompt_tokens":-99}}"#,
        r#"{"usage":{"prompt_tokens":9.5}}"#,
        r#"{"usage":{"prompt_tokens":1e30}}"#,
        r#"{"usage":{"prompt_tokens":null}}"#,
        r#"{"choices":[{"delta":{"tool_calls":[{"function":{"arguments":"{\"usage\": {\"prompt_tokens\":99}}"}}]}}]}"#,
    ] {
        let stream = format!("data: {event}\n\n");
        for place in 0..stream.len() {
            let (_, meter, _) = chat(Script::chunks(cut(stream.as_bytes(), [place])));
            assert!(meter.reported().is_empty(), "{event} cut at {place}");
        }
    }
}

#[test]
fn whole_numbers_count_however_they_are_spelt() {
    for (spelt, count) in [
        ("12", 12),
        ("12.0", 12),
        ("1.2e1", 12),
        ("1E1", 10),
        ("0", 0),
    ] {
        let stream = format!("data: {{\"us\\u0061ge\":{{\"prompt_tokens\":{spelt}}}}}\n\n");
        for place in 0..stream.len() {
            let (_, meter, _) = chat(Script::chunks(cut(stream.as_bytes(), [place])));
            assert_eq!(meter.usage().input(), Some(count), "{spelt} cut at {place}");
        }
    }
}

#[test]
fn an_answer_that_was_thinking_alone_has_an_output() {
    let whole = r#"{"candidates":[{"finishReason":"MAX_TOKENS"}],
        "usageMetadata":{"promptTokenCount":9,"thoughtsTokenCount":500,"totalTokenCount":509}}"#;
    let body = Script::chunks([whole]);
    let uri = "/v1beta/models/g:generateContent";
    let (_, meter, _) = read(answer(uri, "{}", IncludeUsage::Auto, ok(JSON, body)));
    assert_eq!(meter.usage().output(), Some(500));
    assert_eq!(meter.usage().total(), Some(509));
}

#[test]
fn sound_and_images_are_content_that_stands_for_no_tokens() {
    let cases = [
        (CHAT, r#"{"choices":[{"delta":{"audio":{"data":"UklG"}}}]}"#),
        (
            "/v1/audio/speech",
            r#"{"type":"speech.audio.delta","audio":"UklG"}"#,
        ),
        (
            "/v1/images/generations",
            r#"{"type":"image_generation.partial_image","b64_json":"UklG"}"#,
        ),
        (
            "/v1beta/models/g:streamGenerateContent",
            r#"{"candidates":[{"content":{"parts":[{"inlineData":{"data":"UklG"}}]}}]}"#,
        ),
    ];
    for (uri, event) in cases {
        let body = Script::chunks([format!("data: {event}\n\n"), format!("data: {event}\n\n")]);
        let (_, meter, _) = read(answer(uri, STREAM, IncludeUsage::Auto, ok(SSE, body)));
        assert_eq!((meter.media_bytes(), meter.chunks()), (8, 2), "{uri}");
        assert!(meter.first_content().is_some(), "{uri}");
        assert_eq!(meter.source(), Source::Unmeasured, "{uri}");
    }
}

#[test]
fn a_stream_may_end_without_done_and_with_done_alone() {
    let (_, _, ending) = chat(Script::chunks([format!("{}{STOP}\n\n", content("x"))]));
    assert_eq!(ending, Ending::Complete);
    let (_, _, ending) = chat(Script::chunks([format!(
        "{}data: [DONE]\n\n",
        content("x")
    )]));
    assert_eq!(ending, Ending::Complete);
    for odd in [
        "data: [DONE] \n\n",
        "data: \"[DONE]\"\n\n",
        "data: [DONE\ndata: ]\n\n",
        "event: [DONE]\n\n",
    ] {
        let (_, _, ending) = chat(Script::chunks([format!("{}{odd}", content("x"))]));
        assert_eq!(ending, TRUNCATED, "{odd}");
    }
}

#[test]
fn an_empty_or_null_finish_reason_is_none() {
    let stream = content("x").replace("]}", r#"],"y":0}"#);
    for reason in ["null", r#""""#] {
        let event = stream.replace("}}],", &format!("}},\"finish_reason\":{reason}}}],"));
        assert!(event.contains(reason));
        let (_, meter, ending) = chat(Script::chunks([event]));
        assert_eq!((meter.finish(), ending), (None, TRUNCATED), "{reason}");
    }
}

#[test]
fn an_error_in_any_form_is_an_in_band_error() {
    for (data, code, message) in [
        (
            r#"{"error":{"message":"m","type":"t","code":"c"}}"#,
            Some("t"),
            Some("m"),
        ),
        (
            r#"{"error":{"code":429,"message":"m"}}"#,
            Some("429"),
            Some("m"),
        ),
        (r#"{"error":"m"}"#, None, Some("m")),
        (r#"{"error":{}}"#, None, None),
    ] {
        let stream = format!("{}data: {data}\n\n", content("x"));
        for place in 0..stream.len() {
            let (_, meter, ending) = chat(Script::chunks(cut(stream.as_bytes(), [place])));
            let error = meter.in_band_error().unwrap();
            assert_eq!(
                (error.code.as_deref(), error.message.as_deref()),
                (code, message),
                "{data}"
            );
            assert_eq!(ending, Ending::InBandError);
        }
    }
    for data in [
        r#"{"error":null}"#,
        r#"{"error":false}"#,
        r#"{"x":{"error":{}}}"#,
        r#"{"choices":[{"error":{}}]}"#,
    ] {
        let (_, meter, _) = chat(Script::chunks([format!("data: {data}\n\n")]));
        assert_eq!(meter.in_band_error(), None, "{data}");
    }
}

#[test]
fn an_encoded_answer_passes_untouched_and_unmeasured() {
    let stream = format!("{}{STOP}\n\n{USAGE}\n\n", content("x"));
    for encoding in ["gzip", "br", "zstd", "identity, gzip"] {
        let mut response = ok(SSE, Script::chunks(stream.as_bytes().chunks(9)));
        response
            .headers_mut()
            .insert(CONTENT_ENCODING, encoding.parse().unwrap());
        let (read, meter, ending) = read(answer(CHAT, ASKED, IncludeUsage::Auto, response));
        assert_eq!(read.text(), stream);
        assert_eq!(
            (meter.source(), ending),
            (Source::Unmeasured, Ending::Complete)
        );
        assert!(meter.usage().is_empty());
    }
    let mut response = ok(SSE, Script::chunks([stream]));
    response
        .headers_mut()
        .insert(CONTENT_ENCODING, "Identity".parse().unwrap());
    let (_, meter, _) = read(answer(CHAT, ASKED, IncludeUsage::Auto, response));
    assert_eq!(meter.usage().total(), Some(7));
}

#[test]
fn answers_that_are_no_success_or_of_another_type_are_not_read() {
    let document = r#"{"usage":{"prompt_tokens":3}}"#;
    for (status, media) in [
        (400, JSON),
        (500, JSON),
        (302, JSON),
        (200, "text/html"),
        (200, "audio/mpeg"),
    ] {
        let mut response = ok(media, Script::chunks([document]));
        *response.status_mut() = status.try_into().unwrap();
        let (read, meter, _) = read(answer(
            CHAT,
            r#"{"model":"m"}"#,
            IncludeUsage::Auto,
            response,
        ));
        assert_eq!(read.text(), document);
        assert_eq!(meter.source(), Source::Unmeasured, "{status} {media}");
    }
}

#[test]
fn a_stream_without_a_media_type_is_read_if_one_was_asked() {
    let mut response = ok(SSE, Script::chunks([format!("{STOP}\n\n{USAGE}\n\n")]));
    response.headers_mut().clear();
    let (_, meter, ending) = read(answer(CHAT, ASKED, IncludeUsage::Auto, response));
    assert_eq!((meter.usage().total(), ending), (Some(7), Ending::Complete));
}

#[test]
fn a_count_of_tokens_is_no_usage() {
    let response = ok(JSON, Script::chunks([r#"{"input_tokens":14}"#]));
    let asked = r#"{"model":"m","messages":[]}"#;
    let path = "/v1/messages/count_tokens";
    let (_, meter, ending) = read(answer(path, asked, IncludeUsage::Auto, response));
    assert_eq!(
        (meter.source(), ending),
        (Source::Unmeasured, Ending::Complete)
    );
}
