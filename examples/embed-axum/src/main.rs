//! A team's own axum server, which now tells what each call through its AI routes used.
//!
//! ```sh
//! cargo run -p embed-axum
//! curl --json '{"model": "ours"}' 127.0.0.1:3000/v1/chat/completions
//! ```

#[cfg(test)]
mod tests;

use aigw_core::meter::{Ended, Report, ReportLayer};
use axum::{Json, Router, routing};
use serde_json::{Value, json};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let ai = Router::new().route("/v1/chat/completions", routing::post(chat));
    let app = Router::new().route("/", routing::get(async || "Our own page.\n"));
    let app = app.merge(metered(ai, |ended: &Ended<'_>| {
        println!("{:?} used {:?}", ended.call.model(), ended.meter.usage());
    }));
    axum::serve(TcpListener::bind("127.0.0.1:3000").await?, app).await
}

/// AI routes as they are, each call reported once it is over.
fn metered(ai: Router, report: impl Report + Clone + Send + Sync + 'static) -> Router {
    ai.layer(aigw_core::around(ReportLayer::new(report)))
}

/// What the team has already: a model of its own, or a call to a provider's.
async fn chat(Json(asked): Json<Value>) -> Json<Value> {
    Json(json!({
        "object": "chat.completion",
        "model": asked["model"],
        "choices": [{
            "index": 0,
            "message": {"role": "assistant", "content": "Good morning!"},
            "finish_reason": "stop",
        }],
        "usage": {"prompt_tokens": 8, "completion_tokens": 3, "total_tokens": 11},
    }))
}
