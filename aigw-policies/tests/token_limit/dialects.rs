//! Streams as the vendors write them, and how each ends where it is stopped.

use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use serde_json::Value;

use crate::house::request;

/// A stream in some dialect, its events each with 40 bytes of content but for the first and the
/// last ones.
pub(crate) struct Dialect {
    pub(crate) path: &'static str,
    pub(crate) request: &'static str,
    pub(crate) before: &'static [&'static str],
    pub(crate) content: &'static str,
    pub(crate) after: &'static [&'static str],
    /// How the stream ends when it is stopped.
    pub(crate) ending: fn(&[(String, Value)]),
    /// How many events that is.
    pub(crate) endings: usize,
}

pub(crate) const CHAT: Dialect = Dialect {
    path: "/v1/chat/completions",
    request: r#"{"model":"m","user":"100","stream":true,"messages":[]}"#,
    before: &[
        "data: {\"id\":\"c\",\"created\":7,\"model\":\"m-1\",\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\"}}]}\n\n",
    ],
    content: "data: {\"id\":\"c\",\"created\":7,\"model\":\"m-1\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"0123456789012345678901234567890123456789\"}}]}\n\n",
    after: &[
        "data: {\"id\":\"c\",\"model\":\"m-1\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n",
        "data: [DONE]\n\n",
    ],
    ending: |events| {
        let [(_, chunk), (_, done)] = events else {
            panic!("{events:?}");
        };
        assert_eq!(chunk["choices"][0]["finish_reason"], "length");
        assert_eq!(chunk["id"], "c");
        assert_eq!(chunk["model"], "m-1");
        assert_eq!(chunk["created"], 7);
        assert_eq!(done, "[DONE]");
    },
    endings: 2,
};

pub(crate) const ASKED: &str = r#"{"model":"m","user":"100","stream":true,"stream_options":{"include_usage":true},"messages":[]}"#;

pub(crate) const COMPLETIONS: Dialect = Dialect {
    path: "/v1/completions",
    request: r#"{"model":"m","user":"100","stream":true,"prompt":"a"}"#,
    before: &[],
    content: "data: {\"id\":\"c\",\"choices\":[{\"index\":0,\"text\":\"0123456789012345678901234567890123456789\",\"finish_reason\":null}]}\n\n",
    after: &[
        "data: {\"id\":\"c\",\"choices\":[{\"index\":0,\"text\":\"\",\"finish_reason\":\"stop\"}]}\n\n",
        "data: [DONE]\n\n",
    ],
    ending: |events| {
        assert_eq!(events[0].1["choices"][0]["finish_reason"], "length");
        assert_eq!(events[1].1, "[DONE]");
    },
    endings: 2,
};

pub(crate) const RESPONSES: Dialect = Dialect {
    path: "/v1/responses",
    request: r#"{"model":"m","user":"100","stream":true,"input":"a"}"#,
    before: &[
        "event: response.created\ndata: {\"type\":\"response.created\",\"sequence_number\":0,\"response\":{\"id\":\"r\",\"status\":\"in_progress\",\"temperature\":1.0}}\n\n",
    ],
    content: "event: response.output_text.delta\ndata: {\"type\":\"response.output_text.delta\",\"sequence_number\":1,\"delta\":\"0123456789012345678901234567890123456789\"}\n\n",
    after: &[
        "event: response.completed\ndata: {\"type\":\"response.completed\",\"response\":{\"id\":\"r\",\"status\":\"completed\"}}\n\n",
    ],
    ending: |events| {
        let [(name, last)] = events else {
            panic!("{events:?}");
        };
        assert_eq!(name, "response.incomplete");
        let response = &last["response"];
        assert_eq!(response["id"], "r");
        assert_eq!(response["temperature"], 1.0);
        assert_eq!(response["status"], "incomplete");
        assert_eq!(
            response["incomplete_details"]["reason"],
            "max_output_tokens"
        );
        assert_eq!(response["usage"]["input_tokens"], 100);
    },
    endings: 1,
};

pub(crate) const MESSAGES: Dialect = Dialect {
    path: "/v1/messages",
    request: r#"{"model":"m","user":"100","stream":true,"messages":[]}"#,
    before: &[
        "event: message_start\r\ndata: {\"type\":\"message_start\",\"message\":{\"usage\":{\"input_tokens\":100,\"output_tokens\":1}}}\r\n\r\n",
        "event: content_block_start\r\ndata: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\r\n\r\n",
    ],
    content: "event: content_block_delta\r\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"0123456789012345678901234567890123456789\"}}\r\n\r\n",
    after: &[
        "event: content_block_stop\r\ndata: {\"type\":\"content_block_stop\",\"index\":0}\r\n\r\n",
        "event: message_delta\r\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"},\"usage\":{\"output_tokens\":400}}\r\n\r\n",
        "event: message_stop\r\ndata: {\"type\":\"message_stop\"}\r\n\r\n",
    ],
    ending: |events| {
        let names: Vec<_> = events.iter().map(|(name, _)| &**name).collect();
        assert_eq!(
            names,
            ["content_block_stop", "message_delta", "message_stop"]
        );
        assert_eq!(events[0].1["index"], 0);
        assert_eq!(events[1].1["delta"]["stop_reason"], "max_tokens");
        assert!(events[1].1["usage"]["output_tokens"].as_u64() >= Some(100));
    },
    endings: 3,
};

pub(crate) const GEMINI: Dialect = Dialect {
    path: "/v1beta/models/g:streamGenerateContent?alt=sse",
    request: r#"{"user":"100","contents":[]}"#,
    before: &[],
    content: "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"0123456789012345678901234567890123456789\"}],\"role\":\"model\"},\"index\":0}],\"modelVersion\":\"g-1\",\"responseId\":\"r\"}\r\n\r\n",
    after: &[
        "data: {\"candidates\":[{\"finishReason\":\"STOP\",\"index\":0}],\"modelVersion\":\"g-1\",\"responseId\":\"r\"}\r\n\r\n",
    ],
    ending: |events| {
        let [(_, last)] = events else {
            panic!("{events:?}");
        };
        assert_eq!(last["candidates"][0]["finishReason"], "MAX_TOKENS");
        assert_eq!(last["modelVersion"], "g-1");
        assert_eq!(last["responseId"], "r");
    },
    endings: 1,
};

pub(crate) const ALL: [Dialect; 5] = [CHAT, COMPLETIONS, RESPONSES, MESSAGES, GEMINI];

impl Dialect {
    pub(crate) fn request(&self) -> Request<Full<Bytes>> {
        let mut request = request(self.request);
        *request.uri_mut() = self.path.parse().unwrap();
        request
    }

    /// One with so many events of content.
    pub(crate) fn events(&self, content: usize) -> Vec<String> {
        let content = std::iter::repeat_n(&self.content, content);
        let events = self.before.iter().chain(content).chain(self.after);
        events.map(|event| (*event).to_owned()).collect()
    }
}

/// The events of a stream, as any reader sees them.
pub(crate) fn read(stream: &str) -> Vec<(String, Value)> {
    let stream = stream.replace("\r\n", "\n");
    assert!(stream.ends_with("\n\n"), "{stream:?}");
    let events = stream
        .split("\n\n")
        .map(|event| event.trim_start_matches('\n'));
    let events = events.filter(|event| !event.is_empty()).map(|event| {
        let (name, data) = event.split_once("data: ").unwrap();
        let name = name.trim_start_matches("event: ").trim_end();
        let data = serde_json::from_str(data).unwrap_or_else(|_| data.into());
        (name.to_owned(), data)
    });
    events.collect()
}
