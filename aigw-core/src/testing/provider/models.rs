//! The list of models, and one of them.

use serde_json::{Value, json};

use crate::dialect::Dialect;

/// What a provider that serves every model lists.
const USUAL: [&str; 5] = [
    "gpt-4o",
    "gpt-4o-mini",
    "text-embedding-3-small",
    "claude-sonnet-4-5",
    "gemini-2.5-flash",
];

/// The answer to `GET …/models` and `GET …/models/{id}`; `None` for a model that is not served.
pub(super) fn answer(dialect: Dialect, path: &str, served: &[Box<str>]) -> Option<Value> {
    let models: Vec<&str> = if served.is_empty() {
        USUAL.to_vec()
    } else {
        served.iter().map(|model| &**model).collect()
    };
    let last = path.trim_end_matches('/').rsplit('/').next()?;
    if last != "models" {
        let known = served.is_empty() || models.contains(&last);
        return known.then(|| model(dialect, last));
    }
    let list: Vec<Value> = models.iter().map(|id| model(dialect, id)).collect();
    Some(match dialect {
        // `anthropic/pagination.py`, `SyncPage`.
        Dialect::Anthropic => json!({
            "data": list,
            "has_more": false,
            "first_id": models.first(),
            "last_id": models.last(),
        }),
        // `google.genai.types.ListModelsResponse`.
        Dialect::Gemini => json!({"models": list}),
        // `openai/pagination.py`, `SyncPage`.
        _ => json!({"object": "list", "data": list}),
    })
}

fn model(dialect: Dialect, id: &str) -> Value {
    match dialect {
        // `anthropic/types/model_info.py`.
        Dialect::Anthropic => json!({
            "type": "model",
            "id": id,
            "display_name": id,
            "created_at": "2025-01-01T00:00:00Z",
            "lifecycle": "active",
        }),
        // `google.genai.types.Model`.
        Dialect::Gemini => json!({
            "name": format!("models/{id}"),
            "displayName": id,
            "version": "001",
            "inputTokenLimit": 1_048_576,
            "outputTokenLimit": 65_536,
            "supportedGenerationMethods": ["generateContent", "countTokens", "embedContent"],
        }),
        // `openai/types/model.py`.
        _ => json!({
            "id": id,
            "object": "model",
            "created": 1_735_689_600,
            "owned_by": "simulator",
        }),
    }
}
