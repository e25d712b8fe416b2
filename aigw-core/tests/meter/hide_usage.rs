//! The usage event that the caller did not ask for is hidden, and nothing else is touched.

use std::task::Poll;

use aigw_core::meter::{HideUsage, IncludeUsage, MeterBody};
use bytes::Bytes;
use http::{Response, header::CONTENT_LENGTH};
use http_body::Body;
use proptest::prelude::*;

use crate::{
    answer::{ASKED, CHAT, SSE, STREAM, answer, ok, read},
    support::{Script, Step, cut, poll_body, trailers},
};

const FIRST: &str = r#"data: {"choices":[{"delta":{"content":"a"}}],"usage":null}"#;
const LAST: &str = r#"data: {"choices":[{"delta":{},"finish_reason":"stop"}],"usage":null}"#;
const USAGE: &str = r#"data: {"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":1}}"#;
const DONE: &str = "data: [DONE]";
const FILTER: &str =
    r#"data: {"choices":[],"prompt_filter_results":[{"usage":{"a":1}}],"usage":null}"#;

/// The stream with the usage event, and what remains without it.
fn stream(end: &str, events: &[&str]) -> (Vec<u8>, Vec<u8>) {
    let event = |event: &&str| format!("{event}{end}{end}");
    let whole: String = events.iter().map(event).collect();
    let rest = events.iter().filter(|event| !event.contains(USAGE));
    (
        whole.into_bytes(),
        rest.map(event).collect::<String>().into_bytes(),
    )
}

fn hidden(body: Script) -> (Vec<u8>, Option<u64>) {
    let (read, meter, _) = read(answer(CHAT, STREAM, IncludeUsage::Auto, ok(SSE, body)));
    (read.bytes(), meter.usage().total())
}

#[test]
fn exactly_the_usage_event_is_missing_however_the_stream_is_cut() {
    let orders: [&[&str]; 5] = [
        &[FILTER, FIRST, LAST, USAGE, DONE],
        &[USAGE, FIRST, LAST, DONE],
        &[FIRST, LAST, DONE, USAGE],
        &[": ping", FIRST, USAGE, ": ping", DONE],
        &["id: 1\nevent: x", FIRST, "data", USAGE, USAGE],
    ];
    for events in orders {
        for end in ["\n", "\r\n", "\r"] {
            let (whole, rest) = stream(end, events);
            for place in 0..=whole.len() {
                for exact in [false, true] {
                    let body = Script::chunks(cut(&whole, [place]));
                    let body = if exact { body.exact() } else { body };
                    let (out, total) = hidden(body);
                    assert_eq!(out, rest, "{end:?} cut at {place} of {events:?}");
                    assert_eq!(total, Some(4));
                }
            }
            assert_eq!(hidden(Script::chunks(whole.chunks(1))).0, rest, "{end:?}");
        }
    }
}

#[test]
fn only_an_event_with_no_choice_and_with_usage_is_the_usage_event() {
    let near = [
        r#"{"choices":[],"usage":null}"#,
        r#"{"choices":[]}"#,
        r#"{"usage":{"prompt_tokens":1}}"#,
        r#"{"choices":[{}],"usage":{"prompt_tokens":1}}"#,
        r#"{"choices":null,"usage":{"prompt_tokens":1}}"#,
        r#"{"choices":[],"x":{"usage":{"prompt_tokens":1}}}"#,
        r#"{"choices":[],"x":"\"usage\":{}"}"#,
        r#"{"choices":[],"usage":"{}"}"#,
        r#"{"choices":[],"usage":{"prompt_tokens":1},"error":{"message":"overloaded"}}"#,
        r#"{"choices":[],"usage":{"prompt_tokens":1}"#,
        "{\"choices\":[],\"usage\":{},\"x\":nu\ndata: ll}",
        r#"{"choices":[],"usage":[{}]}"#,
        r#"{"choices":[],,"usage":{}}"#,
        r#"[{"choices":[],"usage":{}}]"#,
    ];
    for data in near {
        let whole = format!("data: {data}\n\n");
        for place in 0..whole.len() {
            let (out, _) = hidden(Script::chunks(cut(whole.as_bytes(), [place])));
            assert_eq!(out, whole.as_bytes(), "cut at {place}");
        }
    }
    for data in [
        r#" { "usage" : { } , "choices" : [ ] } "#,
        r#"{"us\u0061ge":{"prompt_tokens":1},"choices":[]}"#,
    ] {
        let whole = format!("data:{data}\n\n");
        assert_eq!(hidden(Script::chunks([whole])).0, b"", "{data}");
    }
}

#[test]
fn a_caller_that_asked_sees_the_event() {
    let (whole, _) = stream("\n", &[FIRST, LAST, USAGE, DONE]);
    let body = Script::chunks([&whole]);
    let (read, meter, _) = read(answer(CHAT, ASKED, IncludeUsage::Auto, ok(SSE, body)));
    assert_eq!(read.bytes(), whole);
    assert_eq!(meter.usage().total(), Some(4));
}

#[test]
fn nothing_is_hidden_where_nothing_was_asked() {
    let (whole, _) = stream("\n", &[FIRST, LAST, USAGE, DONE]);
    let body = Script::chunks([&whole]);
    let (read, ..) = read(answer(CHAT, STREAM, IncludeUsage::Never, ok(SSE, body)));
    assert_eq!(read.bytes(), whole);
}

#[test]
fn the_announced_length_goes_where_bytes_may_be_missing() {
    let response = |media| {
        let mut response: Response<Script> = ok(media, Script::chunks(["data: x\n\n"]).exact());
        response.headers_mut().insert(CONTENT_LENGTH, 9.into());
        answer(CHAT, STREAM, IncludeUsage::Auto, response)
    };
    let hiding = response(SSE);
    assert!(!hiding.headers().contains_key(CONTENT_LENGTH));
    assert_eq!(hiding.body().size_hint().exact(), None);
    let not = response("application/json");
    assert_eq!(not.headers()[CONTENT_LENGTH], "9");
    assert_eq!(not.body().size_hint().exact(), Some(9));
}

#[test]
fn what_is_held_passes_before_an_error_trailers_and_the_end() {
    let half = &USAGE[..USAGE.len() - 4];
    for (end, error, trailer) in [
        (Some(Step::Fail("reset")), true, false),
        (Some(Step::Trailers(trailers())), false, true),
        (None, false, false),
    ] {
        let mut body = Script::chunks([format!("{FIRST}\n\n"), half.to_owned()]);
        if let Some(end) = end {
            body = body.then(end);
        }
        let (read, ..) = read(answer(CHAT, STREAM, IncludeUsage::Auto, ok(SSE, body)));
        assert_eq!(read.text(), format!("{FIRST}\n\n{half}"));
        assert_eq!(read.error.as_deref() == Some("reset"), error);
        assert_eq!(read.trailers == Some(trailers()), trailer);
    }
}

#[test]
fn trailers_and_an_error_behind_a_dropped_event_pass() {
    let body = Script::chunks([format!("{USAGE}\n\n")]).then(Step::Trailers(trailers()));
    let (read_, ..) = read(answer(CHAT, STREAM, IncludeUsage::Auto, ok(SSE, body)));
    assert_eq!(
        (read_.bytes(), read_.trailers),
        (Vec::new(), Some(trailers()))
    );
    let body = Script::chunks([format!("{USAGE}\n\n")]).then(Step::Fail("reset"));
    let (read, ..) = read(answer(CHAT, STREAM, IncludeUsage::Auto, ok(SSE, body)));
    assert_eq!(
        (read.bytes(), read.error.as_deref()),
        (Vec::new(), Some("reset"))
    );
}

/// The frames that come before the body has to wait for the next step.
fn at_once(chunk: &[u8]) -> Vec<u8> {
    let body = Script::chunks([chunk]).then(Step::Stall);
    let mut answer = answer(CHAT, STREAM, IncludeUsage::Auto, ok(SSE, body));
    let mut out = Vec::new();
    while let Poll::Ready(frame) = poll_body(answer.body_mut()) {
        out.extend_from_slice(&frame.unwrap().unwrap().into_data().unwrap());
    }
    out
}

#[test]
fn what_is_decided_passes_at_once() {
    let whole = format!("{FIRST}\n\n");
    assert_eq!(at_once(whole.as_bytes()), whole.as_bytes());
    // The first choice decides, whatever is still to come of the event.
    let decided = r#"data: {"choices":[{"#;
    assert_eq!(at_once(decided.as_bytes()), decided.as_bytes());
    let undecided = r#"data: {"choices":["#;
    assert_eq!(at_once(undecided.as_bytes()), b"");
    let both = format!("{whole}{undecided}");
    assert_eq!(at_once(both.as_bytes()), whole.as_bytes());
    assert_eq!(at_once(b"data: [D"), b"data: [D");
    assert_eq!(at_once(b": ping\n\n"), b": ping\n\n");
    assert_eq!(at_once(b"data: a\r\n\r"), b"data: a\r\n\r");
}

#[test]
fn no_more_than_the_bound_is_held_back() {
    const CAP: usize = HideUsage::<MeterBody<Script>>::CAP;
    let undecided = format!(r#"data: {{"x":"{}"#, "y".repeat(CAP));
    assert_eq!(at_once(&undecided.as_bytes()[..CAP]), b"");
    assert_eq!(at_once(&undecided.as_bytes()[..CAP + 1]).len(), CAP + 1);
    // An event that began to pass passes whole, even when it turns out to be the usage event.
    let large = format!("{undecided}\",{}\n\n{DONE}\n\n", &USAGE[7..]);
    let (out, total) = hidden(Script::chunks(large.as_bytes().chunks(10)));
    assert_eq!(out, large.as_bytes());
    assert_eq!(total, Some(4));
    // One that comes whole needs no holding back.
    assert_eq!(
        hidden(Script::chunks([large])).0,
        format!("{DONE}\n\n").as_bytes()
    );
}

#[test]
fn empty_frames_change_nothing() {
    let (whole, rest) = stream("\r\n", &[FIRST, LAST, USAGE, DONE]);
    for place in 0..whole.len() {
        let pieces = cut(&whole, [place]);
        let body = Script::chunks([pieces[0], b"", b"", pieces[1]]);
        assert_eq!(hidden(body).0, rest, "cut at {place}");
    }
}

#[test]
fn frames_share_the_memory_of_those_that_came() {
    let (whole, _) = stream("\n", &[FIRST, LAST, USAGE, DONE]);
    let whole = Bytes::from(whole);
    let body = Script::new([Step::Data(whole.clone())]);
    let (read, ..) = read(answer(CHAT, STREAM, IncludeUsage::Auto, ok(SSE, body)));
    let range = whole.as_ptr_range();
    assert!(
        read.frames
            .iter()
            .all(|frame| range.contains(&frame.as_ptr()))
    );
}

/// Removes the usage event by looking at the whole stream at once.
fn oracle(stream: &[u8]) -> Vec<u8> {
    let text = String::from_utf8(stream.to_vec()).unwrap();
    let mut out = String::new();
    let mut event = String::new();
    let mut data = Vec::new();
    let mut any = false;
    for line in text.split_inclusive('\n') {
        event.push_str(line);
        let content = line.trim_end_matches(['\r', '\n']);
        if !content.is_empty() {
            any = true;
            if let Some(value) = content.strip_prefix("data:") {
                data.push(value.strip_prefix(' ').unwrap_or(value).to_owned());
            }
        } else if std::mem::take(&mut any) {
            // What follows the document in an event is ignored.
            let lines = data.join("\n");
            let documents = serde_json::Deserializer::from_str(&lines);
            let document = documents.into_iter::<serde_json::Value>().next();
            let usage = document.and_then(Result::ok).is_some_and(|json| {
                json["choices"].as_array().is_some_and(Vec::is_empty) && json["usage"].is_object()
            });
            if !usage {
                out.push_str(&event);
            }
            event.clear();
            data.clear();
        }
    }
    out.push_str(&event);
    out.into_bytes()
}

proptest! {
    #[test]
    fn any_stream_in_any_chunks_agrees_with_the_whole(
        lines in prop::collection::vec(
            prop::sample::select(vec![FIRST, LAST, USAGE, DONE, FILTER, "", "", "", ": c", "event: e",
                "data: {\"choices\":[],", "data: \"usage\":{}}", "data: x"]),
            0..16,
        ),
        crlf: bool,
        places: Vec<prop::sample::Index>,
    ) {
        let end = if crlf { "\r\n" } else { "\n" };
        let whole: String = lines.iter().map(|line| format!("{line}{end}")).collect();
        let whole = whole.as_bytes();
        let places = places.iter().map(|place| place.index(whole.len() + 1));
        let (out, _) = hidden(Script::chunks(cut(whole, places)));
        prop_assert_eq!(out, oracle(whole));
    }
}
