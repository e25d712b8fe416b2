//! Chat completions and the older completions, as OpenAI and Azure speak them.

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
use crate::dialect::{Dialect, Operation};

/// Answers chat completions.
pub(super) fn chat(asked: &Asked<'_>) -> Told {
    let conversation = Conversation::of_chat_completions(asked.body);
    tell(asked, Answer::to(&conversation, asked.script, asked.name))
}

/// Answers completions.
pub(super) fn completions(asked: &Asked<'_>) -> Told {
    let prompt = asked.body.get("prompt").unwrap_or(&Value::Null);
    let conversation = Conversation::of_prompt(prompt, asked.body.get("max_tokens"));
    tell(asked, Answer::to(&conversation, asked.script, asked.name))
}

fn tell(asked: &Asked<'_>, answer: Answer) -> Told {
    let choices = asked.body.get("n").and_then(Value::as_u64);
    let choices = choices.unwrap_or(1).clamp(1, MOST_CHOICES);
    let mut counts = answer.usage;
    counts.output = counts.output.saturating_mul(choices);
    let usage = stated(
        &asked.script.usage,
        usage(counts.overruled(&asked.script.usage)),
    );
    let told = Say {
        asked,
        answer,
        choices,
    };
    Told {
        content: if asked.streams() {
            Content::Stream(told.stream(usage))
        } else {
            Content::Json(told.whole(usage))
        },
        tokens: counts.total(),
        output: counts.output,
    }
}

/// OpenAI's own bound on `n`.
const MOST_CHOICES: u64 = 128;

/// `openai/types/completion_usage.py`.
fn usage(counts: Counts) -> Value {
    json!({
        "prompt_tokens": counts.input,
        "completion_tokens": counts.output,
        "total_tokens": counts.total(),
        "prompt_tokens_details": {"audio_tokens": 0, "cached_tokens": counts.cached},
        "completion_tokens_details": {
            "accepted_prediction_tokens": 0,
            "audio_tokens": 0,
            "reasoning_tokens": counts.reasoning,
            "rejected_prediction_tokens": 0,
        },
    })
}

struct Say<'a> {
    asked: &'a Asked<'a>,
    answer: Answer,
    choices: u64,
}

impl Say<'_> {
    /// `openai/types/chat/chat_completion.py` and `openai/types/completion.py`.
    fn whole(&self, usage: Option<Value>) -> Value {
        let choices = (0..self.choices).map(|index| self.choice(index)).collect();
        let mut body = self.envelope(choices);
        put(&mut body, "usage", usage);
        if self.is_azure() {
            put(&mut body, "prompt_filter_results", Some(prompt_filter()));
        }
        body
    }

    fn choice(&self, index: u64) -> Value {
        let mut choice = json!({
            "index": index,
            "logprobs": null,
            "finish_reason": self.finish(),
        });
        if self.is_chat() {
            let mut message = json!({
                "role": "assistant",
                "content": self.answer.calls.is_empty().then_some(&self.answer.text),
                "refusal": null,
                "annotations": [],
            });
            if !self.answer.calls.is_empty() {
                let calls = self.answer.calls.iter().enumerate();
                let calls = calls.map(|(place, call)| self.tool_call(index, place, call));
                put(&mut message, "tool_calls", Some(calls.collect()));
            }
            put(&mut choice, "message", Some(message));
        } else {
            put(&mut choice, "text", Some(self.answer.text.clone().into()));
        }
        if self.is_azure() {
            put(&mut choice, "content_filter_results", Some(filter()));
        }
        choice
    }

    fn tool_call(&self, index: u64, place: usize, call: &ToolCall) -> Value {
        json!({
            "id": format!("call_{}{index}{place}", self.asked.id),
            "type": "function",
            "function": {"name": call.name, "arguments": call.json()},
        })
    }

    /// `openai/types/chat/chat_completion_chunk.py`; completions stream in the shape of a whole
    /// one.
    fn stream(&self, usage: Option<Value>) -> Stream {
        let asks_usage = self.asked.body.pointer("/stream_options/include_usage");
        let usage = usage.filter(|_| asks_usage == Some(&Value::Bool(true)));
        let mut events = Vec::new();
        if self.is_azure() && self.is_chat() {
            // Azure begins with its verdict on the prompt: a chunk without choices and without
            // usage.
            let mut chunk = self.envelope(Value::Array(Vec::new()));
            put(&mut chunk, "prompt_filter_results", Some(prompt_filter()));
            put(&mut chunk, "id", Some("".into()));
            put(&mut chunk, "model", Some("".into()));
            put(&mut chunk, "created", Some(0.into()));
            events.push(Event::frame(chunk));
        }
        for index in 0..self.choices {
            self.stream_choice(index, &mut events);
        }
        if let Some(usage) = usage {
            for event in &mut events {
                put(&mut event.data, "usage", Some(Value::Null));
            }
            let mut last = self.envelope(Value::Array(Vec::new()));
            put(&mut last, "usage", Some(usage));
            events.push(Event::frame(last));
        }
        let status = StatusCode::INTERNAL_SERVER_ERROR;
        let message = "The server had an error while processing your request";
        Stream {
            format: Format::SseUntilDone,
            events,
            error: Event::frame(refusal::openai(status, Some("server_error"), message, None)),
        }
    }

    fn stream_choice(&self, index: u64, events: &mut Vec<Event>) {
        let chunk = |delta: Value, finish: Value| {
            let mut choice = json!({"index": index, "logprobs": null, "finish_reason": finish});
            let field = if self.is_chat() { "delta" } else { "text" };
            put(&mut choice, field, Some(delta));
            self.envelope(json!([choice]))
        };
        let finish = Value::from(self.finish());
        if !self.is_chat() {
            let delta = |piece: &str| chunk(piece.into(), Value::Null);
            events.extend(deltas(&self.answer.text, delta));
            events.push(Event::frame(chunk("".into(), finish)));
            return;
        }
        let content = if self.answer.calls.is_empty() {
            "".into()
        } else {
            Value::Null
        };
        let role = json!({"role": "assistant", "content": content, "refusal": null});
        events.push(Event::frame(chunk(role, Value::Null)));
        let delta = |piece: &str| chunk(json!({"content": piece}), Value::Null);
        events.extend(deltas(&self.answer.text, delta));
        for (place, call) in self.answer.calls.iter().enumerate() {
            let mut begin = self.tool_call(index, place, call);
            put(&mut begin, "index", Some(place.into()));
            if let Some(function) = begin.get_mut("function") {
                put(function, "arguments", Some("".into()));
            }
            events.push(Event::content(chunk(
                json!({"tool_calls": [begin]}),
                Value::Null,
            )));
            let delta = |piece: &str| {
                let call = json!({"index": place, "function": {"arguments": piece}});
                chunk(json!({"tool_calls": [call]}), Value::Null)
            };
            events.extend(deltas(&call.json(), delta));
        }
        events.push(Event::frame(chunk(json!({}), finish)));
    }

    fn envelope(&self, choices: Value) -> Value {
        let asked = self.asked;
        let (prefix, object) = match (self.is_chat(), asked.streams()) {
            (true, true) => ("chatcmpl-", "chat.completion.chunk"),
            (true, false) => ("chatcmpl-", "chat.completion"),
            (false, _) => ("cmpl-", "text_completion"),
        };
        // The labs' mock server gives every answer the same id.
        let id = if asked.script.present {
            "foo".into()
        } else {
            format!("{prefix}{}", asked.id)
        };
        let mut body = json!({
            "id": id,
            "object": object,
            "created": asked.created,
            "model": asked.model,
            "system_fingerprint": "fp_simulated",
            "choices": choices,
        });
        if self.is_chat() {
            put(&mut body, "service_tier", Some("default".into()));
        }
        body
    }

    fn finish(&self) -> &'static str {
        match &self.answer {
            answer if !answer.calls.is_empty() => "tool_calls",
            answer if answer.cut => "length",
            _ => "stop",
        }
    }

    fn is_chat(&self) -> bool {
        self.asked.target.operation() == Operation::Chat
    }

    fn is_azure(&self) -> bool {
        self.asked.target.dialect() == Dialect::AzureOpenAi
    }
}

/// Azure's verdict on a text; its REST reference calls it `contentFilterResults`.
fn filter() -> Value {
    let safe = json!({"filtered": false, "severity": "safe"});
    json!({"hate": safe, "self_harm": safe, "sexual": safe, "violence": safe})
}

fn prompt_filter() -> Value {
    json!([{"prompt_index": 0, "content_filter_results": filter()}])
}
