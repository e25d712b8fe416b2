//! Events that begin and end alike are not read all over again: what they say is the same as if
//! they were.

use aigw_core::meter::IncludeUsage;
use proptest::{prelude::*, sample::select};

use crate::{
    answer::{CHAT, SSE, STREAM, answer, ok, read},
    recorded::shown,
    support::Script,
};

/// How events begin, by the dialect they are of.
const BEGINNINGS: [(&str, &[&str]); 4] = [
    (
        CHAT,
        &[
            r#"{"id":"chatcmpl-1","model":"m-1","choices":[{"index":0,"delta":{"content":"#,
            r#"{"id":"chatcmpl-1","model":"m-2","choices":[{"index":0,"delta":{"content":"#,
            r#"{"id":"chatcmpl-1","choices":[{"index":0,"delta":{"role":"assistant","content": "#,
            r#"{"model":"m-1","choices":[{"delta":{"content":"twice","content":"#,
            r#"{"model":"m-1","usage":{"prompt_tokens":1,"completion_tokens":"#,
            r#"{"model":"m-1","choices":[],"error":"#,
            r#"{"id":"chatcmpl-1","choices":[],"model":"#,
            r#"{"model":"m-1","choices":[{"delta":{"unheard-of":{"content":"#,
        ],
    ),
    (
        "/v1/messages",
        &[
            r#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"#,
            r#"{"type":"content_block_delta","index":0,"delta":{"partial_json":"#,
            r#"{"type":"message_start","message":{"model":"m-1","usage":{"input_tokens":"#,
            r#"{"type":"error","error":{"type":"#,
        ],
    ),
    (
        "/v1/responses",
        &[
            r#"{"type":"response.output_text.delta","sequence_number":4,"item_id":"a","delta":"#,
            r#"{"type":"response.completed","response":{"model":"m-1","status":"#,
            r#"{"type":"response.failed","code":"lost","message":"#,
        ],
    ),
    (
        "/v1beta/models/g:streamGenerateContent?alt=sse",
        &[
            r#"{"candidates":[{"content":{"parts":[{"text":"#,
            r#"{"candidates":[{"content":{"parts":[{"functionCall":{"args":"#,
        ],
    ),
];

const VALUES: [&str; 14] = [
    r#""one""#,
    r#""two words""#,
    r#""""#,
    r#""\"quoted\" \\ and \u00e9\ud83d\ude00""#,
    r#""}}],\"usage\":{\"prompt_tokens\":9}""#,
    r#""日本""#,
    r#" "late""#,
    r#""one" "#,
    r#""one","content":"two""#,
    "null",
    "17",
    r#"{"a":[1,{"b":"c"}]}"#,
    "[]",
    r#""cut"#,
];

const ENDINGS: [&str; 11] = [
    r#","model":"m-1"}"#,
    r#"},"finish_reason":null}]}"#,
    r#"},"finish_reason":"stop"}]}"#,
    r#"},"finish_reason":null}],"model":"m-3"}"#,
    r#"},"finish_reason":null}],"usage":null}"#,
    r#"},"finish_reason":null}],"usage":{"prompt_tokens":3,"completion_tokens":4}}"#,
    r#"}]},"finishReason":"STOP"}],"modelVersion":"m-1"}"#,
    r#"}]}}]}"#,
    "}}",
    "}",
    "",
];

fn streams() -> impl Strategy<Value = (&'static str, Vec<String>)> {
    select(&BEGINNINGS[..]).prop_flat_map(|(uri, beginnings)| {
        // Two of each, so that they meet again.
        let some = |all: &'static [&'static str]| prop::collection::vec(select(all), 1..3);
        let parts = (some(beginnings), some(&VALUES), some(&ENDINGS));
        parts.prop_flat_map(move |(beginnings, values, endings)| {
            let event = (select(beginnings), select(values), select(endings)).prop_map(
                |(beginning, value, ending)| format!("data: {beginning}{value}{ending}\n\n"),
            );
            (Just(uri), prop::collection::vec(event, 1..8))
        })
    })
}

#[test]
fn a_model_counts_wherever_in_an_event_it_stands() {
    let begun = r#"{"id":"aaaaaaaaaaaaaaaaaaaa","model":"#;
    let streams: [(&[&str], &str); 3] = [
        // The ending names the model that is known until the value before it is another one.
        (
            &[r#""A"}"#, r#""","model":"A"}"#, r#""B","model":"A"}"#],
            "A",
        ),
        // A model that is let go of and another one may stand at the same address.
        (
            &[
                r#""AAAA"}"#,
                r#""AAAA","choices":[{"delta":{"content":"x"}}],"model":"BBBB","model":"CCCC"}"#,
                r#""AAAA","choices":[{"delta":{"content":"y"}}]}"#,
            ],
            "AAAA",
        ),
        // What stands there is not what it means.
        (&[r#""a\\u0041"}"#, r#""a\u0041"}"#], "aA"),
    ];
    for (events, model) in streams {
        let event = |rest: &&str| format!("data: {begun}{rest}\n\n");
        let events: Vec<_> = events.iter().map(event).collect();
        let bytes = events.concat().into_bytes();
        for body in [Script::chunks(&events), Script::chunks(bytes.chunks(1))] {
            let (_, meter, _) = read(answer(CHAT, STREAM, IncludeUsage::Never, ok(SSE, body)));
            assert_eq!(meter.model(), Some(model), "{events:?}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2048, ..ProptestConfig::default() })]

    #[test]
    fn events_that_are_alike_say_what_each_says_alone((uri, events) in streams()) {
        let through = |body| {
            read(answer(uri, STREAM, IncludeUsage::Auto, ok(SSE, body)))
        };
        let stream = events.concat();
        let (whole, event_by_event, ending) = through(Script::chunks(&events));
        // Nothing is recognized of which one byte comes after the other.
        let (_, byte_by_byte, ending_by_byte) = through(Script::chunks(stream.as_bytes().chunks(1)));
        prop_assert_eq!(shown(&event_by_event), shown(&byte_by_byte));
        prop_assert_eq!(ending, ending_by_byte);
        let (passed, together, _) = through(Script::chunks([stream.as_bytes()]));
        prop_assert_eq!(shown(&together), shown(&byte_by_byte));
        prop_assert_eq!(passed.bytes(), whole.bytes());
    }
}
