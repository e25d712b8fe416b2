//! User groups with different limits: who calls belongs to a group, and each group has its own rate
//! for each of its members. A caller without a group has the least.
//!
//! ```text
//! key ──► authenticate: consumer and its labels ──► call ──► token limit, by label ──► meter ──► model
//! ```
//!
//! `cargo run -p aigw-examples --example user_groups`. Time is the lab's own.
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
    budget::{Condition, MemoryStore, Rate},
    token_limit::{Budget, OnOpaque, Output, TokenLimitLayer},
};
use axum::Router;
use http::StatusCode;
use serde_json::json;
use tower::{ServiceBuilder, ServiceExt};

/// The groups, and how many tokens each of their members may use in a minute.
const GROUPS: [(&str, u64); 3] = [("research", 2000), ("students", 500), ("", 100)];

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> Result<(), BoxError> {
    let callers = access::Config::default()
        .consumer(member("ada", "research"))
        .consumer(member("bob", "students"))
        .consumer(member("eve", "students"))
        .consumer(ConsumerConfig::new("guest").key("sk-guest"));
    let group: Dimension = "label:group".parse()?;
    let mut budgets = Vec::new();
    for (name, tokens) in GROUPS {
        let minute = Rate::try_new(tokens, Duration::from_secs(60))?;
        let of_group = if name.is_empty() {
            Condition::value(Dimension::Consumer, "guest")
        } else {
            Condition::value(group.clone(), name)
        };
        let budget = Budget::new(format!("group-{name}"), minute);
        budgets.push(budget.key([Dimension::Consumer]).when(of_group));
    }
    let store = MemoryStore::with_clock(Tokio, 1000);
    let limit = TokenLimitLayer::try_new(budgets, store, OnOpaque::Pass)?;
    let gateway = Router::new().fallback_service(
        ServiceBuilder::new()
            .layer(AuthenticateLayer::try_new(callers)?)
            .layer(CallLayer::new())
            .layer(limit.output(Output::Tokens(90)))
            .layer(MeterLayer::new())
            .service(Provider::new(Tokio)),
    );

    let mut served = Vec::new();
    for caller in ["ada", "bob", "eve", "guest"] {
        let calls = use_up(&gateway, caller).await?;
        println!("{caller} was served {calls} times");
        served.push(calls);
    }
    let [ada, bob, eve, guest] = served[..] else {
        return Err("four callers".into());
    };
    assert!(ada > 3 * bob && bob > guest, "{served:?}");
    // One student's use is not the other's.
    assert_eq!(bob, eve);
    Ok(())
}

fn member(name: &str, group: &str) -> ConsumerConfig {
    ConsumerConfig::new(name)
        .key(format!("sk-{name}"))
        .label("group", group)
}

/// Asks until the answer is that the limit is reached.
async fn use_up(gateway: &Router, caller: &str) -> Result<u32, BoxError> {
    let question = json!({
        "model": "gpt-4o",
        "messages": [{"role": "user", "content": "Which of our figures were above the plan?"}],
    });
    let mut served = 0;
    loop {
        let mut request = lab::post("/v1/chat/completions", question.to_string())?;
        let key = format!("sk-{caller}").parse()?;
        request.headers_mut().insert("api-key", key);
        let answer = gateway.clone().oneshot(request).await?;
        match answer.status() {
            StatusCode::OK => lab::json(answer).await?,
            StatusCode::TOO_MANY_REQUESTS => return Ok(served),
            status => return Err(format!("{status}").into()),
        };
        served += 1;
    }
}

#[test]
fn the_lab_finds_what_it_says() -> Result<(), BoxError> {
    main()
}
