//! The vendors' events for an answer at its greatest length. The module's documentation draws them.

use std::fmt::Write;

use bytes::Bytes;
use serde_json::{Value, json};

use super::{Shown, form::Form};
use crate::usage::{Kind, Usage};

/// The events that end a stream behind its last whole event, as those of a model that has reached
/// its greatest length after this usage.
///
/// What is not known of the usage is written as zero where the dialect demands a number.
///
/// Nothing follows them: the body is to end in order, without the rest that the provider sends.
#[must_use]
pub fn ending(shown: &Shown, usage: &Usage) -> Bytes {
    let mut events = Events::default();
    match shown.form {
        Form::Chat | Form::Completions => openai(shown, usage, &mut events),
        Form::Responses => events.named("response.incomplete", incomplete(shown, usage)),
        Form::Anthropic => anthropic(shown, usage, &mut events),
        Form::Gemini => events.push(&gemini(shown, usage)),
    }
    events.0.into()
}

/// Events, one behind the other. JSON escapes line breaks, so each has one `data` line.
#[derive(Default)]
struct Events(String);

impl Events {
    fn push(&mut self, data: &impl std::fmt::Display) {
        // To a string nothing fails to be written.
        let _ = write!(self.0, "data: {data}\n\n");
    }

    /// One that is named as its data says too.
    fn named(&mut self, name: &str, mut data: Value) {
        if let Some(members) = data.as_object_mut() {
            members.insert("type".to_owned(), name.into());
        }
        let _ = writeln!(self.0, "event: {name}");
        self.push(&data);
    }
}

fn openai(shown: &Shown, usage: &Usage, events: &mut Events) {
    for index in shown.open_choices() {
        let mut choice = json!({ "index": index, "logprobs": null, "finish_reason": "length" });
        let (member, nothing) = match shown.form {
            Form::Completions => ("text", "".into()),
            _ => ("delta", json!({})),
        };
        if let Some(members) = choice.as_object_mut() {
            members.insert(member.to_owned(), nothing);
        }
        events.push(&chunk(shown, json!([choice])));
    }
    if shown.call.asks_usage() == Some(true) {
        let mut last = chunk(shown, json!([]));
        if let Some(members) = last.as_object_mut() {
            let counts = json!({
                "prompt_tokens": input(usage),
                "completion_tokens": output(usage),
                "total_tokens": total(usage),
            });
            members.insert("usage".to_owned(), counts);
        }
        events.push(&last);
    }
    events.push(&"[DONE]");
}

fn chunk(shown: &Shown, choices: Value) -> Value {
    json!({
        "id": shown.identity.id.as_deref().unwrap_or_default(),
        "object": match shown.form {
            Form::Completions => "text_completion",
            _ => "chat.completion.chunk",
        },
        "created": shown.identity.created.unwrap_or_default(),
        "model": model(shown),
        "choices": choices,
    })
}

/// The response that the first event told, as it stands now.
fn incomplete(shown: &Shown, usage: &Usage) -> Value {
    let first = shown.first.as_deref();
    let first = first.and_then(|first| serde_json::from_slice::<Value>(first).ok());
    let response = first.and_then(|mut first| first.get_mut("response").map(Value::take));
    let response = response.filter(Value::is_object);
    let mut response = response.unwrap_or_else(|| {
        json!({
            "id": shown.identity.id.as_deref().unwrap_or_default(),
            "object": "response",
            "created_at": shown.identity.created.unwrap_or_default(),
            "model": model(shown),
            "error": null,
            "instructions": null,
            "metadata": {},
            "output": [],
            "parallel_tool_calls": true,
            "tool_choice": "auto",
            "tools": [],
        })
    });
    let now = json!({
        "status": "incomplete",
        "incomplete_details": { "reason": "max_output_tokens" },
        "usage": {
            "input_tokens": input(usage),
            "input_tokens_details": { "cached_tokens": of(usage, Kind::CachedInput) },
            "output_tokens": output(usage),
            "output_tokens_details": { "reasoning_tokens": of(usage, Kind::Reasoning) },
            "total_tokens": total(usage),
        },
    });
    if let (Some(members), Value::Object(now)) = (response.as_object_mut(), now) {
        members.extend(now);
    }
    let sequence = shown.sequence.map_or(0, |last| last.saturating_add(1));
    json!({ "sequence_number": sequence, "response": response })
}

fn anthropic(shown: &Shown, usage: &Usage, events: &mut Events) {
    if let Some(block) = shown.block {
        events.named("content_block_stop", json!({ "index": block }));
    }
    let delta = json!({
        "delta": { "stop_reason": "max_tokens", "stop_sequence": null },
        "usage": { "output_tokens": output(usage) },
    });
    events.named("message_delta", delta);
    events.named("message_stop", json!({}));
}

fn gemini(shown: &Shown, usage: &Usage) -> Value {
    let candidate = |index| {
        let nothing = json!({ "parts": [{ "text": "" }], "role": "model" });
        json!({ "content": nothing, "finishReason": "MAX_TOKENS", "index": index })
    };
    let thoughts = of(usage, Kind::Reasoning);
    let mut chunk = json!({
        "candidates": shown.open_choices().map(candidate).collect::<Vec<_>>(),
        "usageMetadata": {
            "promptTokenCount": input(usage).saturating_sub(of(usage, Kind::ToolInput)),
            "candidatesTokenCount": output(usage).saturating_sub(thoughts),
            "thoughtsTokenCount": thoughts,
            "totalTokenCount": total(usage),
        },
        "modelVersion": model(shown),
    });
    if let (Some(id), Some(members)) = (&shown.identity.id, chunk.as_object_mut()) {
        members.insert("responseId".to_owned(), (&**id).into());
    }
    chunk
}

/// The model that answers, else the one that was asked.
fn model(shown: &Shown) -> &str {
    let answering = shown.identity.model.as_deref();
    answering.or_else(|| shown.call.model()).unwrap_or_default()
}

fn of(usage: &Usage, kind: Kind) -> u64 {
    usage.get(kind).unwrap_or_default()
}

fn input(usage: &Usage) -> u64 {
    of(usage, Kind::Input)
}

fn output(usage: &Usage) -> u64 {
    of(usage, Kind::Output)
}

fn total(usage: &Usage) -> u64 {
    input(usage).saturating_add(output(usage))
}
