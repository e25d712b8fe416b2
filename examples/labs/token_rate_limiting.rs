//! Token rate limiting: each subscription may use so many tokens in a minute, and is told how long
//! to wait when they are used up. Whoever waits that long is served; another subscription never
//! notices.
//!
//! ```text
//! key ──► authenticate ──► call ──► token limit (by consumer) ──► meter ──► model
//! ```
//!
//! `cargo run -p aigw-examples --example token_rate_limiting`. Time is the lab's own: it waits for
//! a minute in a moment.
#![expect(
    clippy::print_stdout,
    reason = "a lab shows what it finds, and fails where it does not find it"
)]

use std::time::Duration;

use aigw_core::{
    BoxError, call::CallLayer, key::Dimension, meter::MeterLayer, rt::Tokio, testing::Provider,
};
use aigw_examples::lab;
use aigw_policies::{
    access::{self, AuthenticateLayer, ConsumerConfig},
    budget::{MemoryStore, Rate},
    token_limit::{Budget, OnOpaque, Output, TokenLimitLayer},
};
use axum::Router;
use http::{HeaderValue, StatusCode};
use serde_json::json;
use tokio::time;
use tower::{ServiceBuilder, ServiceExt};

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> Result<(), BoxError> {
    let subscriptions = access::Config::default()
        .consumer(ConsumerConfig::new("research").key("sk-research"))
        .consumer(ConsumerConfig::new("sales").key("sk-sales"));
    let minute = Rate::try_new(500, Duration::from_secs(60))?;
    let budget = Budget::new("per-subscription", minute).key([Dimension::Consumer]);
    let store = MemoryStore::with_clock(Tokio, 1000);
    let limit = TokenLimitLayer::try_new([budget], store, OnOpaque::Pass)?;
    let gateway = Router::new().fallback_service(
        ServiceBuilder::new()
            .layer(AuthenticateLayer::try_new(subscriptions)?)
            .layer(CallLayer::new())
            .layer(limit.output(Output::Tokens(200)))
            .layer(MeterLayer::new())
            .service(Provider::new(Tokio)),
    );

    let mut served = 0;
    let refused = loop {
        let answer = ask(&gateway, "sk-research").await?;
        if answer.status() != StatusCode::OK {
            break answer;
        }
        println!(
            "{} tokens left",
            text(&answer.headers()["x-ratelimit-remaining-tokens"])?
        );
        served += 1;
        lab::json(answer).await?;
    };
    assert!(served > 1, "500 tokens are enough for more than one call");
    assert_eq!(refused.status(), StatusCode::TOO_MANY_REQUESTS);
    let wait: u64 = text(&refused.headers()["retry-after-ms"])?.parse()?;
    println!("served {served} times, then told to wait {wait} ms");

    // Whoever has a budget of its own is served meanwhile.
    assert_eq!(ask(&gateway, "sk-sales").await?.status(), StatusCode::OK);

    time::advance(Duration::from_millis(wait - 1)).await;
    assert_eq!(
        ask(&gateway, "sk-research").await?.status(),
        StatusCode::TOO_MANY_REQUESTS
    );
    time::advance(Duration::from_millis(1)).await;
    assert_eq!(ask(&gateway, "sk-research").await?.status(), StatusCode::OK);
    Ok(())
}

async fn ask(gateway: &Router, key: &str) -> Result<http::Response<axum::body::Body>, BoxError> {
    let question = json!({
        "model": "gpt-4o",
        "messages": [{"role": "user", "content": "Which of our figures were above the plan?"}],
    });
    let mut request = lab::post("/v1/chat/completions", question.to_string())?;
    request.headers_mut().insert("api-key", key.parse()?);
    Ok(gateway.clone().oneshot(request).await?)
}

fn text(value: &HeaderValue) -> Result<&str, BoxError> {
    Ok(value.to_str()?)
}

#[test]
fn the_lab_finds_what_it_says() -> Result<(), BoxError> {
    main()
}
