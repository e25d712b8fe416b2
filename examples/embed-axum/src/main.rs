//! A team's own axum server, which now tells what each call through its AI routes used.
//!
//! ```sh
//! cargo run -p embed-axum
//! curl --json '{"model": "ours"}' 127.0.0.1:3000/v1/chat/completions
//! ```
//!
//! Prints `listening on http://127.0.0.1:3000`, or another address that is given, and for that call
//! `ours used {"input": 8, "output": 3}`.

#[cfg(test)]
mod tests;

use std::{env, io, net::SocketAddr, process::ExitCode};

use aigw_core::meter::{Ended, Report, ReportLayer};
use axum::{Json, Router, routing};
use serde_json::{Value, json};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> ExitCode {
    let mut args = env::args().skip(1);
    let listen = args.next().unwrap_or("127.0.0.1:3000".to_owned());
    let (Ok(listen), None) = (listen.parse(), args.next()) else {
        eprintln!("usage: embed-axum [LISTEN]");
        return ExitCode::from(2);
    };
    if let Err(error) = serve(listen).await {
        eprintln!("{error}");
    }
    ExitCode::FAILURE
}

async fn serve(listen: SocketAddr) -> io::Result<()> {
    let ai = Router::new().route("/v1/chat/completions", routing::post(chat));
    let app = Router::new().route("/", routing::get(async || "Our own page.\n"));
    let app = app.merge(metered(ai, |ended: &Ended<'_>| {
        let model = ended.call.model().unwrap_or("no model");
        println!("{model} used {:?}", ended.meter.usage());
    }));
    let listener = TcpListener::bind(listen).await?;
    println!("listening on http://{}", listener.local_addr()?);
    axum::serve(listener, app).await
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
