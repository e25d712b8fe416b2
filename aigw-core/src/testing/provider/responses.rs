//! OpenAI Responses, whole and as typed events.

use serde_json::{Value, json};

use super::{
    answer::{Answer, Counts, stated},
    asked::{Asked, Told, put},
    conversation::Conversation,
    reply::{Content, Stream},
    sse::{Event, Format, deltas},
};

/// Answers the creation of a response.
pub(super) fn create(asked: &Asked<'_>) -> Told {
    let conversation = Conversation::of_responses(asked.body);
    let answer = Answer::to(&conversation, asked.script, asked.name);
    let counts = answer.usage;
    let usage = stated(&asked.script.usage, usage(counts));
    let say = Say { asked, answer };
    Told {
        content: if asked.streams() {
            Content::Stream(say.stream(usage))
        } else {
            Content::Json(say.response(say.status(), say.output("completed"), usage))
        },
        tokens: counts.total(),
        output: counts.output,
    }
}

/// `openai/types/responses/response_usage.py`.
fn usage(counts: Counts) -> Value {
    json!({
        "input_tokens": counts.input,
        "input_tokens_details": {"cached_tokens": counts.cached, "cache_write_tokens": 0},
        "output_tokens": counts.output,
        "output_tokens_details": {"reasoning_tokens": counts.reasoning},
        "total_tokens": counts.total(),
    })
}

struct Say<'a> {
    asked: &'a Asked<'a>,
    answer: Answer,
}

impl Say<'_> {
    /// `openai/types/responses/response.py`.
    fn response(&self, status: &str, output: Vec<Value>, usage: Option<Value>) -> Value {
        let asked = self.asked;
        let given = |name: &str, default: Value| {
            asked
                .body
                .get(name)
                .cloned()
                .filter(|value| !value.is_null())
                .unwrap_or(default)
        };
        let incomplete = (status == "incomplete").then(|| json!({"reason": "max_output_tokens"}));
        let completed = (status == "completed").then_some(asked.created);
        let mut response = json!({
            "id": format!("resp_{}", asked.id),
            "object": "response",
            "created_at": asked.created,
            "completed_at": completed,
            "status": status,
            "background": false,
            "error": null,
            "incomplete_details": incomplete,
            "instructions": given("instructions", Value::Null),
            "max_output_tokens": given("max_output_tokens", Value::Null),
            "metadata": given("metadata", json!({})),
            "model": asked.model,
            "output": output,
            "parallel_tool_calls": given("parallel_tool_calls", true.into()),
            "previous_response_id": given("previous_response_id", Value::Null),
            "reasoning": {"effort": null, "summary": null},
            "service_tier": "default",
            "store": given("store", true.into()),
            "temperature": given("temperature", 1.0.into()),
            "text": {"format": {"type": "text"}},
            "tool_choice": given("tool_choice", "auto".into()),
            "tools": given("tools", json!([])),
            "top_p": given("top_p", 1.0.into()),
            "truncation": "disabled",
        });
        put(&mut response, "usage", usage);
        response
    }

    /// `openai/types/responses/response_output_message.py` and `response_function_tool_call.py`.
    fn output(&self, status: &str) -> Vec<Value> {
        if self.answer.calls.is_empty() {
            let status = if status == "completed" {
                self.status()
            } else {
                status
            };
            return vec![self.message(status, json!([text_part(&self.answer.text)]))];
        }
        let calls = self.answer.calls.iter().enumerate();
        calls
            .map(|(place, call)| self.function_call(place, status, &call.name, &call.json()))
            .collect()
    }

    fn message(&self, status: &str, content: Value) -> Value {
        json!({
            "id": format!("msg_{}", self.asked.id),
            "type": "message",
            "role": "assistant",
            "status": status,
            "content": content,
        })
    }

    fn function_call(&self, place: usize, status: &str, name: &str, arguments: &str) -> Value {
        json!({
            "id": format!("fc_{}{place}", self.asked.id),
            "type": "function_call",
            "call_id": format!("call_{}{place}", self.asked.id),
            "status": status,
            "name": name,
            "arguments": arguments,
        })
    }

    fn status(&self) -> &'static str {
        if self.answer.cut {
            "incomplete"
        } else {
            "completed"
        }
    }

    /// `openai/types/responses/response_stream_event.py`, in the order of the streaming reference.
    fn stream(&self, usage: Option<Value>) -> Stream {
        let begun = self.response("in_progress", Vec::new(), Some(Value::Null));
        let mut events = vec![
            event("response.created", json!({"response": begun.clone()})),
            event("response.in_progress", json!({"response": begun})),
        ];
        if self.answer.calls.is_empty() {
            self.stream_message(&mut events);
        } else {
            self.stream_calls(&mut events);
        }
        let ended = self.response(self.status(), self.output("completed"), usage);
        let name = if self.answer.cut {
            "response.incomplete"
        } else {
            "response.completed"
        };
        events.push(event(name, json!({"response": ended})));
        for (number, event) in events.iter_mut().enumerate() {
            put(&mut event.data, "sequence_number", Some(number.into()));
        }
        // `openai/types/responses/response_error_event.py`.
        let error = json!({
            "code": "server_error",
            "message": "The server had an error while processing your request",
            "param": null,
            "sequence_number": events.len(),
        });
        Stream {
            format: Format::Sse,
            events,
            error: event("error", error),
        }
    }

    fn stream_message(&self, events: &mut Vec<Event>) {
        let id = format!("msg_{}", self.asked.id);
        let text = &self.answer.text;
        let at = json!({"item_id": id, "output_index": 0, "content_index": 0});
        let within = |more: Value| merged(&at, more);
        let item = self.message("in_progress", json!([]));
        events.push(event(ITEM_ADDED, json!({"output_index": 0, "item": item})));
        events.push(event(
            "response.content_part.added",
            within(json!({"part": text_part("")})),
        ));
        let name = "response.output_text.delta";
        let delta = |piece: &str| within(json!({"delta": piece, "logprobs": [], "type": name}));
        events.extend(
            deltas(text, delta)
                .into_iter()
                .map(|event| event.named(name)),
        );
        let done = within(json!({"text": text, "logprobs": []}));
        events.push(event("response.output_text.done", done));
        events.push(event(
            "response.content_part.done",
            within(json!({"part": text_part(text)})),
        ));
        let item = self.message(self.status(), json!([text_part(text)]));
        events.push(event(ITEM_DONE, json!({"output_index": 0, "item": item})));
    }

    fn stream_calls(&self, events: &mut Vec<Event>) {
        for (place, call) in self.answer.calls.iter().enumerate() {
            let arguments = call.json();
            let at = json!({
                "item_id": format!("fc_{}{place}", self.asked.id),
                "output_index": place,
            });
            let within = |more: Value| merged(&at, more);
            let item = self.function_call(place, "in_progress", &call.name, "");
            events.push(event(
                ITEM_ADDED,
                json!({"output_index": place, "item": item}),
            ));
            let name = "response.function_call_arguments.delta";
            let delta = |piece: &str| within(json!({"delta": piece, "type": name}));
            events.extend(
                deltas(&arguments, delta)
                    .into_iter()
                    .map(|event| event.named(name)),
            );
            let done = within(json!({"arguments": arguments, "name": call.name}));
            events.push(event("response.function_call_arguments.done", done));
            let item = self.function_call(place, "completed", &call.name, &arguments);
            events.push(event(
                ITEM_DONE,
                json!({"output_index": place, "item": item}),
            ));
        }
    }
}

const ITEM_ADDED: &str = "response.output_item.added";
const ITEM_DONE: &str = "response.output_item.done";

/// The type of an event stands in its data and before it.
fn event(name: &'static str, mut data: Value) -> Event {
    put(&mut data, "type", Some(name.into()));
    Event::frame(data).named(name)
}

/// `openai/types/responses/response_output_text.py`.
fn text_part(text: &str) -> Value {
    json!({"type": "output_text", "text": text, "annotations": [], "logprobs": []})
}

fn merged(at: &Value, more: Value) -> Value {
    let mut object = at.clone();
    if let (Some(object), Value::Object(more)) = (object.as_object_mut(), more) {
        object.extend(more);
    }
    object
}
