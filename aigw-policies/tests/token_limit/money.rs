//! Budgets of money.

use std::time::Duration;

use aigw_core::usage::Kind;
use aigw_policies::{
    budget::{Align, Limit, LimitError, MemoryStore, Period, Quota, Rate},
    token_limit::{Budget, HandleError, OnOpaque, Output, Price, Prices, TokenLimitLayer},
};

use crate::house::{House, json, request};

/// Per million tokens.
fn prices() -> Prices {
    let usual = Price::try_new(2.5, 10.0).unwrap();
    let usual = usual.set(Kind::CachedInput, 1.25).unwrap();
    Prices::new("USD", Price::try_new(100.0, 200.0).unwrap())
        .model("gpt-4o*", usual)
        .model("gpt-4o-mini*", Price::try_new(0.15, 0.6).unwrap())
}

/// So many millionths of a dollar a month.
fn a_month(millionths: u64) -> Limit {
    let quota = Quota::of_money(millionths as f64 / 1e6, Period::Month, Align::Utc);
    quota.unwrap().into()
}

/// Asks a model with a prompt of so many tokens.
fn chat(model: &str, tokens: u64) -> http::Request<http_body_util::Full<bytes::Bytes>> {
    request(&format!(
        r#"{{"model":"{model}","user":"{tokens}","messages":[]}}"#
    ))
}

#[tokio::test(start_paused = true)]
async fn a_call_costs_what_its_tokens_do_at_the_model_that_answers() {
    let limit = a_month(1_000_000);
    for (asked, served, usage, millionths) in [
        // 1000 × 2.5 + 100 × 10
        (
            "gpt-4o",
            "gpt-4o-2024-08-06",
            r#""prompt_tokens":1000,"completion_tokens":100"#,
            3500,
        ),
        // 200 × 2.5 + 800 × 1.25 + 100 × 10
        (
            "gpt-4o",
            "gpt-4o",
            r#""prompt_tokens":1000,"completion_tokens":100,"prompt_tokens_details":{"cached_tokens":800}"#,
            2500,
        ),
        // 1001 × 0.15 + 1 × 0.6, rounded up
        (
            "gpt-4o-mini",
            "gpt-4o-mini",
            r#""prompt_tokens":1001,"completion_tokens":1"#,
            151,
        ),
        // The one that answered is listed, and the one that was asked is not.
        (
            "auto",
            "gpt-4o",
            r#""prompt_tokens":10,"completion_tokens":0"#,
            25,
        ),
        // Nobody knows either.
        (
            "auto",
            "other",
            r#""prompt_tokens":10,"completion_tokens":1"#,
            1200,
        ),
    ] {
        let budget = Budget::new("money", limit).cost(prices());
        let answer = format!(
            r#"{{"model":"{served}","choices":[{{"message":{{"content":"x"}},"finish_reason":"stop"}}],"usage":{{{usage}}}}}"#
        );
        let house = House::new([budget]).answering(move |_| json(200, &answer));
        let told = house.call(chat(asked, 0)).await;
        assert_eq!(told.status(), 200);
        assert_eq!(told.headers().get("x-ratelimit-remaining-tokens"), None);
        assert_eq!(
            house.left("money", limit),
            1_000_000 - millionths,
            "{asked} {served}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_refusal_tells_of_money() {
    let rate = Rate::of_money(1.0, Duration::from_secs(3600)).unwrap();
    let budget = Budget::new("team", rate).cost(prices());
    let house = House::new([budget]).limit(|limit| limit.output(Output::Tokens(0)));
    // 300,000 × 2.5: 0.75 dollars are held.
    let _held = house.send(chat("gpt-4o", 300_000)).await;
    let refused = house.call(chat("gpt-4o", 200_000)).await;
    assert_eq!(refused.status(), 429);
    let said = String::from_utf8(refused.body().to_vec()).unwrap();
    let expected = "budget `team` (1 USD per hour) has 0.25 USD left, and the request needs about 0.5 USD for its prompt; it fits in 15m0s";
    assert!(said.contains(expected), "{said}");
    let never = house.call(chat("dear", 20_000)).await;
    assert_eq!(never.status(), 400);
    let said = String::from_utf8(never.body().to_vec()).unwrap();
    assert!(
        said.contains("needs about 2 USD for its prompt: more than budget `team` (1 USD per hour)"),
        "{said}"
    );
}

#[tokio::test(start_paused = true)]
async fn money_and_tokens_are_held_together_or_not_at_all() {
    let tokens = Rate::try_new(1000, Duration::from_secs(60)).unwrap();
    let house = House::new([
        Budget::new("tokens", tokens),
        Budget::new("money", a_month(100)).cost(prices()),
    ])
    .limit(|limit| limit.output(Output::Tokens(0)));
    // 100 × 2.5 is more than there is.
    assert_eq!(house.call(chat("gpt-4o", 100)).await.status(), 400);
    assert_eq!(house.left("tokens", tokens.into()), 1000);
    assert_eq!(house.left("money", a_month(100)), 100);
}

#[test]
fn money_is_limited_by_money_and_nothing_else_is() {
    let tokens = Quota::try_new(500, Period::Month, Align::Utc).unwrap();
    let layer = |budget| TokenLimitLayer::try_new([budget], MemoryStore::new(), OnOpaque::Pass);
    for (budget, fault) in [
        (Budget::new("b", tokens).cost(prices()), "not of money"),
        (Budget::new("b", a_month(1)), "counts none"),
        (Budget::new("b", a_month(1)).calls(), "counts none"),
    ] {
        let error = layer(budget).map(drop).unwrap_err().to_string();
        assert!(
            error.contains("budget `b`: its limit is") && error.contains(fault),
            "{error}"
        );
    }
    let handle = layer(Budget::new("b", a_month(1)).cost(prices()))
        .unwrap()
        .handle();
    let wrong = handle.set_limit("b", tokens);
    assert!(matches!(wrong, Err(HandleError::Unit(_))), "{wrong:?}");
    assert_eq!(handle.budgets()[0].limit(), &a_month(1));
    assert_eq!(handle.set_limit("b", a_month(2)), Ok(()));
}

#[test]
fn money_is_written_in_its_currency() {
    let month = |amount| Quota::of_money(amount, Period::Month, Align::Utc);
    assert_eq!(month(50.0).unwrap().amount(), 50_000_000);
    assert_eq!(month(0.000_001).unwrap().amount(), 1);
    let hour = Rate::of_money(1.5, Duration::from_secs(3600)).unwrap();
    let budget = Budget::new("team", hour).cost(prices());
    assert_eq!(budget.to_string(), "1.5 USD per hour");
    for bad in [0.0, 0.000_000_9, -1.0, 1e9 + 1.0, f64::NAN] {
        assert_eq!(month(bad), Err(LimitError::Money), "{bad}");
    }
}
