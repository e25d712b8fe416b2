//! Function calling: a model asks for a tool, the client calls it, the model reads the result.
//! Model and tool stand behind the same gateway, which therefore sees the whole loop and knows what
//! the model's part of it cost.
//!
//! ```text
//! client ──► gateway ──┬─ /v1/chat/completions ──► model
//!                      └─ /tools/get_weather ────► an HTTP service of the company
//! ```
//!
//! `cargo run -p aigw-examples --example function_calling`.
#![expect(
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a lab shows what it finds, and fails where it does not find it"
)]

use std::sync::mpsc;

use aigw_core::{
    BoxError, around,
    dialect::Operation,
    meter::{Ended, ReportLayer},
    rt::Tokio,
    testing::Provider,
};
use aigw_examples::lab;
use axum::{Json, Router, routing};
use serde_json::{Value, json};
use tower::ServiceExt;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), BoxError> {
    let (report, told) = mpsc::channel();
    let gateway = Router::new()
        .route("/tools/get_weather", routing::post(get_weather))
        .fallback_service(Provider::new(Tokio))
        .layer(around(ReportLayer::new(move |ended: &Ended<'_>| {
            let _ = report.send((ended.call.operation(), ended.meter.usage().total()));
        })));

    let question = r#"Please use get_weather for "Oslo"."#;
    let answer = converse(&gateway, question).await?;
    println!("{answer}");
    assert!(answer.starts_with("The tool says: ") && answer.contains("sunny in Oslo"));

    // Model, tool, model: in this order, and only the model uses tokens.
    let told: Vec<_> = told.try_iter().collect();
    println!("{told:?}");
    let [(first, asked), (second, used), (third, answered)] = told[..] else {
        return Err(format!("three calls, not {told:?}").into());
    };
    assert_eq!(
        [first, second, third],
        [Operation::Chat, Operation::Other, Operation::Chat]
    );
    assert_eq!(used, None);
    assert!(
        asked > Some(0) && answered > asked,
        "the conversation has grown"
    );
    Ok(())
}

/// Asks the model until it needs no tool any more.
async fn converse(gateway: &Router, question: &str) -> Result<String, BoxError> {
    let tools = json!([{"type": "function", "function": {
        "name": "get_weather",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
        },
    }}]);
    let mut messages = vec![json!({"role": "user", "content": question})];
    loop {
        let body = json!({"model": "gpt-4o", "messages": messages, "tools": tools});
        let answer = send(gateway, "/v1/chat/completions", &body).await?;
        let message = &answer["choices"][0]["message"];
        messages.push(message.clone());
        if let Some(text) = message["content"].as_str() {
            return Ok(text.to_owned());
        }
        for call in message["tool_calls"].as_array().into_iter().flatten() {
            let (Some(name), Some(arguments)) = (
                call["function"]["name"].as_str(),
                call["function"]["arguments"].as_str(),
            ) else {
                return Err(format!("no call of a function: {call}").into());
            };
            println!("{name}({arguments})");
            let result = send(gateway, &format!("/tools/{name}"), &arguments.parse()?).await?;
            let result = result.to_string();
            messages.push(json!({"role": "tool", "tool_call_id": call["id"], "content": result}));
        }
    }
}

async fn send(gateway: &Router, path: &str, body: &Value) -> Result<Value, BoxError> {
    let request = lab::post(path, body.to_string())?;
    lab::json(gateway.clone().oneshot(request).await?).await
}

/// The tool: an HTTP service that knows nothing of models.
async fn get_weather(Json(arguments): Json<Value>) -> Json<Value> {
    let city = arguments["city"].as_str().unwrap_or("nowhere");
    Json(json!({"report": format!("sunny in {city}"), "celsius": 21}))
}

#[test]
fn the_lab_finds_what_it_says() -> Result<(), BoxError> {
    main()
}
