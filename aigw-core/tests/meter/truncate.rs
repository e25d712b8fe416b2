//! A stream that is ended early reads as an answer that has reached its greatest length.

use std::sync::{Arc, Mutex};

use aigw_core::{
    call::{Call, CallLayer, HasCall},
    meter::{Ending, FinishReason, IncludeUsage},
    sse::{Lexer, Token},
    truncate::{self, Shown},
    usage::{Kind, Usage},
};
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use serde_json::Value;
use tower::{Layer, ServiceExt, service_fn};

use crate::{
    answer::{ASKED, CHAT, SSE, STREAM, answer, ok, read},
    fixtures::ALL,
    support::{Script, cut, run},
};

fn call(uri: &str, request: &str) -> Call {
    let seen = Arc::new(Mutex::new(None));
    let tell = Arc::clone(&seen);
    let service = CallLayer::new().layer(service_fn(move |request: Request<_>| {
        *tell.lock().unwrap() = Some(HasCall::call(request.body()).without_body());
        async { Ok::<_, std::convert::Infallible>(Response::new(Script::new([]))) }
    }));
    let body = Full::new(Bytes::copy_from_slice(request.as_bytes()));
    run(service.oneshot(Request::post(uri).body(body).unwrap())).unwrap();
    let call = seen.lock().unwrap().take();
    call.unwrap()
}

fn shown(uri: &str, request: &str) -> Shown {
    Shown::of(&call(uri, request)).unwrap()
}

/// Shows a stream, and answers where its events end.
fn show<'s>(shown: &'s mut Shown, stream: &'s [u8]) -> impl Iterator<Item = (usize, bool)> + 's {
    let (mut lexer, mut rest) = (Lexer::new(), stream);
    std::iter::from_fn(move || {
        while let Some(token) = lexer.next(&mut rest) {
            shown.read(token);
            if token == Token::Event {
                return Some((stream.len() - rest.len(), shown.is_open()));
            }
        }
        None
    })
}

fn usage() -> Usage {
    [(Kind::Input, 5), (Kind::Output, 7)].into_iter().collect()
}

/// What an ending says behind this stream, event by event.
fn ended(uri: &str, request: &str, stream: &str) -> Vec<(String, Value)> {
    let mut shown = shown(uri, request);
    assert!(show(&mut shown, stream.as_bytes()).last().unwrap().1);
    let ending = truncate::ending(&shown, &usage());
    let ending = std::str::from_utf8(&ending).unwrap();
    let events = ending.split_terminator("\n\n").map(|event| {
        let (name, data) = event.rsplit_once("data: ").unwrap();
        let name = name.trim_start_matches("event: ").trim_end();
        let data = serde_json::from_str(data).unwrap_or_else(|_| data.into());
        (name.to_owned(), data)
    });
    events.collect()
}

#[test]
fn behind_any_event_the_meter_reads_a_whole_answer_at_its_greatest_length() {
    let mut ended = 0;
    for fixture in ALL.iter().filter(|fixture| fixture.media == SSE) {
        let Some(mut shown) = Shown::of(&call(fixture.uri, fixture.request)) else {
            assert!(fixture.name.contains("transcription"), "{}", fixture.name);
            continue;
        };
        let events: Vec<_> = show(&mut shown, fixture.bytes).collect();
        let (_, open) = *events.last().unwrap();
        assert!(!open, "{}", fixture.name);
        for (end, _) in events.into_iter().filter(|(_, open)| *open) {
            let whole = &fixture.bytes[..end];
            let mut shown = Shown::of(&call(fixture.uri, fixture.request)).unwrap();
            show(&mut shown, whole).for_each(drop);
            let ending = truncate::ending(&shown, &usage());
            let reading = |chunks: &[&[u8]]| {
                let response = ok(SSE, Script::chunks(chunks));
                read(answer(
                    fixture.uri,
                    fixture.request,
                    IncludeUsage::Never,
                    response,
                ))
            };
            let (_, before, _) = reading(&[whole]);
            let (_, meter, how) = reading(&[whole, &ending]);
            let name = format!("{} at {end}", fixture.name);
            assert_eq!(how, Ending::Complete, "{name}");
            assert_eq!(meter.finish(), Some(&FinishReason::Length), "{name}");
            assert_eq!(meter.in_band_error(), None, "{name}");
            assert_eq!(meter.content_bytes(), before.content_bytes(), "{name}");
            assert_eq!(meter.chunks(), before.chunks(), "{name}");
            assert_eq!(meter.model(), before.model().or(Some("m")), "{name}");
            let is_openai = fixture.name.contains("chat") || fixture.name.contains("completions");
            if !is_openai {
                assert_eq!(meter.usage().output(), Some(7), "{name}");
            }
            ended += 1;
        }
    }
    assert!(ended > 50, "{ended}");
}

#[test]
fn however_the_stream_is_cut_the_ending_is_the_same() {
    for fixture in ALL.iter().filter(|fixture| fixture.media == SSE) {
        let Some(mut whole) = Shown::of(&call(fixture.uri, fixture.request)) else {
            continue;
        };
        let Some((end, _)) = show(&mut whole, fixture.bytes)
            .filter(|(_, open)| *open)
            .last()
        else {
            continue;
        };
        let ending = |places: &[usize]| {
            let (mut shown, mut lexer) = (shown(fixture.uri, fixture.request), Lexer::new());
            for mut chunk in cut(&fixture.bytes[..end], places.iter().copied()) {
                while let Some(token) = lexer.next(&mut chunk) {
                    shown.read(token);
                }
            }
            truncate::ending(&shown, &usage())
        };
        let expected = ending(&[]);
        for place in 0..end {
            assert_eq!(ending(&[place]), expected, "{} at {place}", fixture.name);
        }
    }
}

#[test]
fn a_chat_ends_with_a_chunk_for_each_choice_under_way() {
    let stream = concat!(
        r#"data: {"id":"c-1","created":7,"model":"m-1","choices":[{"index":0,"delta":{"content":"a"}}]}"#,
        "\n\n",
        r#"data: {"id":"c-1","created":7,"model":"m-1","choices":[{"finish_reason":null,"delta":{},"index":2}]}"#,
        "\n\n",
        r#"data: {"id":"c-1","created":7,"model":"m-1","choices":[{"finish_reason":"stop","delta":{},"index":1}]}"#,
        "\n\n",
    );
    let events = ended(CHAT, STREAM, stream);
    let indices: Vec<_> = events[..2]
        .iter()
        .map(|(_, chunk)| {
            assert_eq!(chunk["id"], "c-1");
            assert_eq!(chunk["created"], 7);
            assert_eq!(chunk["model"], "m-1");
            assert_eq!(chunk["object"], "chat.completion.chunk");
            assert_eq!(chunk["choices"][0]["finish_reason"], "length");
            assert!(chunk["choices"][0]["delta"].as_object().unwrap().is_empty());
            chunk["choices"][0]["index"].as_u64().unwrap()
        })
        .collect();
    assert_eq!(indices, [0, 2]);
    assert_eq!(events[2].1, "[DONE]");
    assert_eq!(events.len(), 3);
}

#[test]
fn a_chat_states_its_usage_only_to_a_caller_that_asked_for_it() {
    let stream = "data: {\"choices\":[{\"index\":0,\"delta\":{}}]}\n\n";
    let events = ended(CHAT, ASKED, stream);
    assert_eq!(events.len(), 3);
    let (_, last) = &events[1];
    assert_eq!(last["choices"].as_array().unwrap().len(), 0);
    let counts = &last["usage"];
    assert_eq!(counts["prompt_tokens"], 5);
    assert_eq!(counts["completion_tokens"], 7);
    assert_eq!(counts["total_tokens"], 12);
    // What the stream has not told is what the call asked.
    assert_eq!(last["model"], "m");
    assert_eq!(ended(CHAT, STREAM, stream).len(), 2);
}

#[test]
fn completions_end_with_an_empty_text() {
    let stream = "data: {\"id\":\"c\",\"choices\":[{\"text\":\"a\",\"index\":0}]}\n\n";
    let events = ended("/v1/completions", STREAM, stream);
    assert_eq!(events[0].1["object"], "text_completion");
    assert_eq!(events[0].1["choices"][0]["text"], "");
    assert_eq!(events[0].1["choices"][0]["finish_reason"], "length");
    assert_eq!(events[1].1, "[DONE]");
}

#[test]
fn a_message_closes_the_block_that_is_open() {
    let start = concat!(
        "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{}}\n\n",
        "event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":1}\n\n",
    );
    let events = ended("/v1/messages", STREAM, start);
    let names: Vec<_> = events.iter().map(|(name, _)| &**name).collect();
    assert_eq!(
        names,
        ["content_block_stop", "message_delta", "message_stop"]
    );
    assert!(events.iter().all(|(name, data)| data["type"] == **name));
    assert_eq!(events[0].1["index"], 1);
    assert_eq!(events[1].1["delta"]["stop_reason"], "max_tokens");
    assert_eq!(events[1].1["usage"]["output_tokens"], 7);
    let stop = "event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":1}\n\n";
    let events = ended("/v1/messages", STREAM, &[start, stop].concat());
    assert_eq!(events.len(), 2);
}

#[test]
fn a_response_repeats_what_its_first_event_told() {
    let delta = "event: response.output_text.delta\ndata: {\"type\":\"response.output_text.delta\",\"sequence_number\":4,\"delta\":\"a\"}\n\n";
    for (padding, tools) in [(0, 1), (Shown::CAP, 0)] {
        let padding = "x".repeat(padding);
        let created = format!(
            "event: response.created\ndata: {{\"type\":\"response.created\",\"sequence_number\":0,\"response\":{{\"id\":\"r-1\",\"created_at\":7,\"model\":\"m-1\",\"status\":\"in_progress\",\"tools\":[\"{padding}\"]}}}}\n\n"
        );
        let events = ended("/v1/responses", STREAM, &[&created, delta].concat());
        let [(name, data)] = &*events else {
            panic!("{events:?}");
        };
        assert_eq!(name, "response.incomplete");
        assert_eq!(data["type"], "response.incomplete");
        assert_eq!(data["sequence_number"], 5);
        let response = &data["response"];
        assert_eq!(response["id"], "r-1");
        assert_eq!(response["created_at"], 7);
        assert_eq!(response["model"], "m-1");
        assert_eq!(response["status"], "incomplete");
        assert_eq!(
            response["incomplete_details"]["reason"],
            "max_output_tokens"
        );
        assert_eq!(response["usage"]["output_tokens"], 7);
        // One that is too large to be kept is told by its identity alone.
        assert_eq!(response["tools"].as_array().unwrap().len(), tools);
    }
}

#[test]
fn gemini_ends_with_one_chunk_for_all_candidates() {
    let stream = "data: {\"candidates\":[{\"index\":0},{\"index\":1}],\"modelVersion\":\"g\",\"responseId\":\"r\"}\r\n\r\n";
    let uri = "/v1beta/models/g:streamGenerateContent?alt=sse";
    let events = ended(uri, "{}", stream);
    let [(_, chunk)] = &*events else {
        panic!("{events:?}");
    };
    for index in [0, 1] {
        assert_eq!(chunk["candidates"][index]["index"], index);
        assert_eq!(chunk["candidates"][index]["finishReason"], "MAX_TOKENS");
    }
    assert_eq!(chunk["responseId"], "r");
    assert_eq!(chunk["modelVersion"], "g");
    assert_eq!(chunk["usageMetadata"]["promptTokenCount"], 5);
    assert_eq!(chunk["usageMetadata"]["totalTokenCount"], 12);
}

#[test]
fn a_stream_that_has_said_why_it_ends_is_not_open() {
    for (uri, stream) in [
        (
            CHAT,
            r#"data: {"choices":[{"index":0,"finish_reason":"stop"}]}"#,
        ),
        (CHAT, r#"data: {"choices":[]}"#),
        (
            CHAT,
            r#"data: {"error":{"message":"overloaded"},"choices":[{"index":0}]}"#,
        ),
        ("/v1/messages", r#"data: {"type":"ping"}"#),
        (
            "/v1/messages",
            r#"data: {"type":"message_delta","delta":{"stop_reason":"end_turn"}}"#,
        ),
        (
            "/v1/responses",
            r#"data: {"type":"response.failed","response":{}}"#,
        ),
    ] {
        let mut shown = shown(uri, STREAM);
        let stream = format!("{stream}\n\n");
        assert!(
            !show(&mut shown, stream.as_bytes()).last().unwrap().1,
            "{stream}"
        );
    }
}
