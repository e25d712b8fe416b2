//! Gemini: content whole, streamed as events or as one JSON array; embeddings; the counting of
//! tokens.

use http::StatusCode;
use serde_json::{Map, Value, json};

use super::{
    answer::{Answer, Counts, stated},
    asked::{Asked, Told, put},
    conversation::{Conversation, items, text_of},
    embeddings::{self, Input},
    refusal,
    reply::{Content, Stream},
    sse::{Event, Format},
    tokens,
};
use crate::dialect::query_value;

/// Answers `generateContent` and `streamGenerateContent`.
pub(super) fn generate(asked: &Asked<'_>) -> Told {
    let conversation = Conversation::of_contents(asked.body);
    let answer = Answer::to(&conversation, asked.script, asked.name);
    let counts = answer.usage;
    let say = Say { asked, answer };
    Told {
        content: if asked.streams() {
            Content::Stream(say.stream(counts))
        } else {
            let parts = say.parts();
            Content::Json(say.chunk(parts, Some(say.finish()), counts))
        },
        tokens: counts.total(),
        output: counts.output,
    }
}

/// `google.genai.types.CountTokensResponse`.
pub(super) fn count_tokens(asked: &Asked<'_>) -> Told {
    let body = asked
        .body
        .get("generateContentRequest")
        .unwrap_or(asked.body);
    let counts = Counts {
        input: Conversation::of_contents(body).tokens,
        ..Counts::default()
    };
    let input = counts.overruled(&asked.script.usage).input;
    let details = json!([{"modality": "TEXT", "tokenCount": input}]);
    Told::plain(
        json!({"totalTokens": input, "promptTokensDetails": details}),
        0,
    )
}

/// `google.genai.types.EmbedContentResponse`: one from `embedContent`, many from
/// `batchEmbedContents`.
pub(super) fn embed(asked: &Asked<'_>) -> Told {
    let mut used = 0;
    let mut values = |request: &Value| {
        let text = text_of(request.get("content").unwrap_or(&Value::Null));
        used += tokens::count(&text);
        let dimensions = request.get("outputDimensionality").and_then(Value::as_u64);
        json!({"values": embeddings::vector(&Input::Text(text), dimensions)})
    };
    let body = if asked.body.get("requests").is_some() {
        let vectors: Vec<Value> = items(asked.body, "requests").map(values).collect();
        json!({"embeddings": vectors})
    } else {
        json!({"embedding": values(asked.body)})
    };
    Told::plain(body, used)
}

/// `google.genai.types.GenerateContentResponseUsageMetadata`. Thoughts are not part of the
/// candidates' count here.
fn usage(counts: Counts) -> Value {
    let mut usage = json!({
        "promptTokenCount": counts.input,
        "candidatesTokenCount": counts.output.saturating_sub(counts.reasoning),
        "totalTokenCount": counts.total(),
        "promptTokensDetails": [{"modality": "TEXT", "tokenCount": counts.input}],
    });
    let some = |count: u64| (count > 0).then(|| count.into());
    put(&mut usage, "thoughtsTokenCount", some(counts.reasoning));
    put(&mut usage, "cachedContentTokenCount", some(counts.cached));
    usage
}

struct Say<'a> {
    asked: &'a Asked<'a>,
    answer: Answer,
}

impl Say<'_> {
    /// `google.genai.types.GenerateContentResponse`; every chunk of a stream is one.
    fn chunk(&self, parts: Vec<Value>, finish: Option<&str>, counts: Counts) -> Value {
        let mut candidate = json!({
            "content": {"role": "model", "parts": parts},
            "index": 0,
        });
        put(&mut candidate, "finishReason", finish.map(Value::from));
        let mut body = json!({
            "candidates": [candidate],
            "modelVersion": self.asked.model,
            "responseId": self.asked.id,
        });
        put(
            &mut body,
            "usageMetadata",
            stated(&self.asked.script.usage, usage(counts)),
        );
        body
    }

    fn parts(&self) -> Vec<Value> {
        if self.answer.calls.is_empty() {
            return vec![json!({"text": self.answer.text})];
        }
        let calls = self.answer.calls.iter();
        calls
            .map(|call| part(&call.name, &call.arguments))
            .collect()
    }

    fn finish(&self) -> &'static str {
        if self.answer.cut {
            "MAX_TOKENS"
        } else {
            "STOP"
        }
    }

    /// Calls come whole, text in pieces; the last chunk alone says why it is the last.
    fn stream(&self, counts: Counts) -> Stream {
        let mut chunks: Vec<Vec<Value>> = if self.answer.calls.is_empty() {
            let pieces = tokens::pieces(&self.answer.text).into_iter();
            pieces.map(|piece| vec![json!({"text": piece})]).collect()
        } else {
            self.parts().into_iter().map(|part| vec![part]).collect()
        };
        if chunks.is_empty() {
            chunks.push(vec![json!({"text": ""})]);
        }
        let last = chunks.len() - 1;
        let mut so_far = Counts {
            output: 0,
            ..counts
        };
        let events = chunks.into_iter().enumerate().map(|(place, parts)| {
            so_far.output = if place == last {
                counts.output
            } else {
                place as u64 + 1
            };
            let finish = (place == last).then(|| self.finish());
            Event::content(self.chunk(parts, finish, so_far))
        });
        let status = StatusCode::SERVICE_UNAVAILABLE;
        let message = "The model is overloaded. Please try again later.";
        let sse = query_value(self.asked.query, "alt") == Some("sse");
        Stream {
            events: events.collect(),
            format: if sse {
                Format::GoogleSse
            } else {
                Format::JsonArray
            },
            error: Event::frame(refusal::gemini(status, message)),
        }
    }
}

fn part(name: &str, args: &Map<String, Value>) -> Value {
    json!({"functionCall": {"name": name, "args": args}})
}
