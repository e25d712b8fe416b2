//! Anthropic Messages, whole and streamed, and the counting of tokens.

use http::StatusCode;
use serde_json::{Value, json};

use super::{
    answer::{Answer, Counts, ToolCall, stated},
    asked::{Asked, Told, put},
    conversation::Conversation,
    refusal,
    reply::{Content, Stream},
    sse::{Event, Format, deltas},
};

/// Answers `POST /v1/messages`.
pub(super) fn messages(asked: &Asked<'_>) -> Told {
    let conversation = Conversation::of_messages(asked.body);
    let answer = Answer::to(&conversation, asked.script, asked.name);
    let counts = answer.usage;
    let say = Say { asked, answer };
    Told {
        content: if asked.streams() {
            Content::Stream(say.stream(counts))
        } else {
            let stop = Value::from(say.stop_reason());
            Content::Json(say.message(say.blocks(), stop, usage(counts)))
        },
        tokens: counts.total(),
        output: counts.output,
    }
}

/// `anthropic/types/message_tokens_count.py`.
pub(super) fn count_tokens(asked: &Asked<'_>) -> Told {
    let counts = Counts {
        input: Conversation::of_messages(asked.body).tokens,
        ..Counts::default()
    };
    let input = counts.overruled(&asked.script.usage).input;
    Told::plain(json!({"input_tokens": input}), 0)
}

/// `anthropic/types/usage.py`. Cached input is not part of `input_tokens` here.
fn usage(counts: Counts) -> Value {
    json!({
        "input_tokens": counts.input.saturating_sub(counts.cached),
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": counts.cached,
        "cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 0},
        "output_tokens": counts.output,
        "service_tier": "standard",
    })
}

struct Say<'a> {
    asked: &'a Asked<'a>,
    answer: Answer,
}

impl Say<'_> {
    /// `anthropic/types/message.py`.
    fn message(&self, content: Value, stop_reason: Value, usage: Value) -> Value {
        let mut message = json!({
            "id": format!("msg_{}", self.asked.id),
            "type": "message",
            "role": "assistant",
            "model": self.asked.model,
            "content": content,
            "stop_reason": stop_reason,
            "stop_sequence": null,
        });
        put(
            &mut message,
            "usage",
            stated(&self.asked.script.usage, usage),
        );
        message
    }

    /// `anthropic/types/text_block.py` and `tool_use_block.py`.
    fn blocks(&self) -> Value {
        if self.answer.calls.is_empty() {
            return json!([text_block(&self.answer.text)]);
        }
        let calls = self.answer.calls.iter().enumerate();
        calls
            .map(|(place, call)| self.tool_use(place, call, call.arguments.clone().into()))
            .collect()
    }

    fn tool_use(&self, place: usize, call: &ToolCall, input: Value) -> Value {
        json!({
            "type": "tool_use",
            "id": format!("toolu_{}{place}", self.asked.id),
            "name": call.name,
            "input": input,
        })
    }

    fn stop_reason(&self) -> &'static str {
        match &self.answer {
            answer if !answer.calls.is_empty() => "tool_use",
            answer if answer.cut => "max_tokens",
            _ => "end_turn",
        }
    }

    /// `anthropic/types/raw_message_stream_event.py`: input is stated first, output last.
    fn stream(&self, counts: Counts) -> Stream {
        let begun = usage(Counts {
            output: counts.output.min(1),
            ..counts
        });
        let start = self.message(json!([]), Value::Null, begun);
        let mut events = vec![
            event("message_start", json!({"message": start})),
            event("ping", json!({})),
        ];
        if self.answer.calls.is_empty() {
            let delta = |piece: &str| json!({"type": "text_delta", "text": piece});
            block(&mut events, 0, &text_block(""), &self.answer.text, delta);
        }
        for (place, call) in self.answer.calls.iter().enumerate() {
            let delta = |piece: &str| json!({"type": "input_json_delta", "partial_json": piece});
            let begin = self.tool_use(place, call, json!({}));
            block(&mut events, place, &begin, &call.json(), delta);
        }
        let mut delta = json!({
            "delta": {"stop_reason": self.stop_reason(), "stop_sequence": null},
        });
        let end = stated(
            &self.asked.script.usage,
            json!({"output_tokens": counts.output}),
        );
        put(&mut delta, "usage", end);
        events.push(event("message_delta", delta));
        events.push(event("message_stop", json!({})));
        let status = StatusCode::SERVICE_UNAVAILABLE;
        Stream {
            format: Format::Sse,
            events,
            error: event("error", refusal::anthropic(status, "Overloaded")),
        }
    }
}

/// `anthropic/types/raw_content_block_{start,delta,stop}_event.py`.
fn block(
    events: &mut Vec<Event>,
    index: usize,
    begin: &Value,
    text: &str,
    delta: impl Fn(&str) -> Value,
) {
    let start = json!({"index": index, "content_block": begin});
    events.push(event("content_block_start", start));
    let name = "content_block_delta";
    let piece = |piece: &str| json!({"type": name, "index": index, "delta": delta(piece)});
    events.extend(
        deltas(text, piece)
            .into_iter()
            .map(|event| event.named(name)),
    );
    events.push(event("content_block_stop", json!({"index": index})));
}

fn event(name: &'static str, mut data: Value) -> Event {
    put(&mut data, "type", Some(name.into()));
    Event::frame(data).named(name)
}

fn text_block(text: &str) -> Value {
    json!({"type": "text", "text": text, "citations": null})
}
