//! Images: a picture of one pixel, for generations, edits and variations.

use serde_json::{Value, json};

use super::{
    answer::stated,
    asked::{Asked, Told, put},
    reply::{Content, Stream},
    sse::{Event, Format},
    tokens,
};

/// A PNG of one opaque pixel.
const PNG: &str = concat!(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk",
    "+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
);

/// Tokens of a picture, as `gpt-image-1` charges for a square one at low quality.
const PICTURE_TOKENS: u64 = 272;

/// OpenAI's own bound on `n`.
const MOST_PICTURES: u64 = 10;

/// `openai/types/images_response.py`, streamed `openai/types/image_gen_completed_event.py`.
pub(super) fn create(asked: &Asked<'_>) -> Told {
    let prompt = asked
        .body
        .get("prompt")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let pictures = asked.body.get("n").and_then(number).unwrap_or(1);
    let pictures = pictures.clamp(1, MOST_PICTURES);
    let input = tokens::count(prompt);
    let output = PICTURE_TOKENS * pictures;
    let usage = stated(
        &asked.script.usage,
        json!({
            "input_tokens": input,
            "input_tokens_details": {"image_tokens": 0, "text_tokens": input},
            "output_tokens": output,
            "total_tokens": input + output,
        }),
    );
    let mut body = json!({
        "background": "opaque",
        "output_format": "png",
        "quality": "low",
        "size": "1024x1024",
    });
    put(&mut body, "usage", usage);
    let content = if asked.streams() {
        put(&mut body, "b64_json", Some(PNG.into()));
        put(&mut body, "created_at", Some(asked.created.into()));
        put(&mut body, "type", Some("image_generation.completed".into()));
        let error = super::refusal::openai(
            http::StatusCode::INTERNAL_SERVER_ERROR,
            Some("server_error"),
            "The image could not be made",
            None,
        );
        Content::Stream(Stream {
            format: Format::Sse,
            events: vec![Event::content(body).named("image_generation.completed")],
            error: Event::frame(error).named("error"),
        })
    } else {
        let data: Vec<Value> = (0..pictures).map(|_| json!({"b64_json": PNG})).collect();
        put(&mut body, "data", Some(data.into()));
        put(&mut body, "created", Some(asked.created.into()));
        Content::Json(body)
    };
    Told {
        content,
        tokens: input + output,
        output: 0,
    }
}

/// A number, or the text of one as a form has it.
fn number(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}
