//! Budgets by product, with money: each product has tokens a minute, tokens a month and money a
//! month, and whoever has used one of them up is refused at once, not when a report is read. An
//! operator then raises the budget, and the next call is served.
//!
//! ```text
//! key ──► authenticate: subscription and product ──► call ──► token limit: rate, quota, money ──► model
//!                                                                    ▲            │
//!                                                                 handle       record: what was charged
//! ```
//!
//! `cargo run -p aigw-examples --example finops_budgets`. Time is the lab's own.
#![expect(
    clippy::print_stdout,
    reason = "a lab shows what it finds, and fails where it does not find it"
)]

use std::{sync::Arc, time::Duration};

use aigw_core::{
    BoxError,
    call::{CallLayer, Record},
    key::Dimension,
    meter::MeterLayer,
    rt::Tokio,
    testing::Provider,
    usage::Kind,
};
use aigw_examples::lab;
use aigw_policies::{
    access::{self, AuthenticateLayer, ConsumerConfig},
    budget::{Align, Condition, MemoryStore, Period, Quota, Rate},
    token_limit::{Budget, Charged, OnOpaque, Output, Price, Prices, TokenLimitLayer},
};
use axum::Router;
use http::StatusCode;
use serde_json::json;
use tokio::time;
use tower::{ServiceBuilder, ServiceExt};

/// A product: tokens a minute, tokens a month, and cents a month.
const PRODUCTS: [(&str, u64, u64, u64); 3] = [
    ("platinum", 20_000, 1_000_000, 15),
    ("gold", 10_000, 1_000_000, 10),
    ("silver", 5_000, 1_000_000, 5),
];

/// How many tokens each answer has.
const ANSWER: u64 = 1000;

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> Result<(), BoxError> {
    let mut subscriptions = access::Config::default();
    for (product, ..) in PRODUCTS {
        for subscription in ["a", "b"] {
            let name = format!("{product}-{subscription}");
            let consumer = ConsumerConfig::new(&*name).key(format!("sk-{name}"));
            subscriptions = subscriptions.consumer(consumer.label("product", product));
        }
    }
    // Dollars per million tokens.
    let prices = Prices::new("USD", Price::try_new(15.0, 75.0)?).model(
        "gpt-4o*",
        Price::try_new(2.5, 10.0)?.set(Kind::CachedInput, 1.25)?,
    );
    let limit = TokenLimitLayer::try_new(
        budgets(&Arc::new(prices))?,
        MemoryStore::with_clock(Tokio, 1000),
        OnOpaque::Pass,
    )?;
    let handle = limit.handle();
    let gateway = Router::new().fallback_service(
        ServiceBuilder::new()
            .layer(AuthenticateLayer::try_new(subscriptions)?)
            .layer(CallLayer::new())
            .layer(limit.output(Output::ClientCap))
            .layer(MeterLayer::new())
            .service(Provider::new(Tokio)),
    );

    for (product, .., cents) in PRODUCTS {
        let (mut served, mut spent) = (0, 0);
        // The subscriptions of a product share its budgets.
        let refused = loop {
            let subscription = if served % 2 == 0 { "a" } else { "b" };
            match ask(&gateway, &format!("{product}-{subscription}")).await? {
                Told::Served(millionths) => spent += millionths,
                Told::Spent(message) => break message,
            }
            served += 1;
        };
        println!("{product}: {served} calls for {spent} millionths of a dollar; then: {refused}");
        // Each call costs a cent and a little for its prompt: the last one did not fit. What callers
        // allow their answers is held, so that nobody spends more than there is.
        assert_eq!(served, cents - 1);
        assert!(refused.contains(&format!("{product}-money")), "{refused}");
        assert!(spent < cents * 10_000);
    }

    // The budget is raised while the gateway runs, and what was spent stays spent.
    let raised = Quota::of_money(0.06, Period::Month, Align::Utc)?;
    handle.set_limit("silver-money", raised)?;
    assert!(matches!(ask(&gateway, "silver-a").await?, Told::Served(_)));
    assert!(matches!(ask(&gateway, "silver-b").await?, Told::Spent(_)));
    let left = handle.left("silver-money", &[]).await?;
    println!("silver has {left:?} left of {raised}");
    Ok(())
}

fn budgets(prices: &Arc<Prices>) -> Result<Vec<Budget>, BoxError> {
    let label: Dimension = "label:product".parse()?;
    let mut budgets = Vec::new();
    for (product, rate, tokens, cents) in PRODUCTS {
        let of_product = || Condition::value(label.clone(), product);
        let rate = Rate::try_new(rate, Duration::from_secs(60))?;
        let tokens = Quota::try_new(tokens, Period::Month, Align::Utc)?;
        let money = Quota::of_money(cents as f64 / 100.0, Period::Month, Align::Utc)?;
        budgets.push(Budget::new(format!("{product}-rate"), rate).when(of_product()));
        budgets.push(Budget::new(format!("{product}-tokens"), tokens).when(of_product()));
        let money = Budget::new(format!("{product}-money"), money);
        budgets.push(money.cost(Arc::clone(prices)).when(of_product()));
    }
    Ok(budgets)
}

/// What a subscription is told.
enum Told {
    /// An answer, which cost so many millionths of a dollar.
    Served(u64),
    /// The month's money is used up.
    Spent(String),
}

/// Asks, as often as the rate makes it wait.
async fn ask(gateway: &Router, subscription: &str) -> Result<Told, BoxError> {
    let question = json!({
        "model": "gpt-4o",
        "max_tokens": ANSWER,
        "messages": [{"role": "user", "content": "What did we spend, and on what?"}],
    });
    loop {
        let mut request = lab::post("/v1/chat/completions", question.to_string())?;
        let headers = request.headers_mut();
        headers.insert("api-key", format!("sk-{subscription}").parse()?);
        let script = json!({"default": {"tokens": ANSWER}}).to_string();
        headers.insert("x-simulation", script.parse()?);
        let record = Record::of(request.extensions_mut());
        let answer = gateway.clone().oneshot(request).await?;
        let (head, body) = answer.into_parts();
        let document = lab::json(http::Response::new(body)).await?;
        if head.status == StatusCode::OK {
            let charged = record.latest::<Charged>().ok_or("it is not settled")?;
            let money = charged.charges.last().ok_or("no budget held")?;
            return Ok(Told::Served(money.used));
        }
        let said = |what: &str| document.pointer(what).and_then(|it| it.as_str());
        if said("/error/code") == Some("insufficient_quota") {
            let message = said("/error/message").unwrap_or_default();
            return Ok(Told::Spent(message.to_owned()));
        }
        let wait = head.headers.get("retry-after-ms").ok_or("it is refused")?;
        time::advance(Duration::from_millis(wait.to_str()?.parse()?)).await;
    }
}

#[test]
fn the_lab_finds_what_it_says() -> Result<(), BoxError> {
    main()
}
