//! How many tokens callers may use, over TCP.

use serde_json::Value;
use tokio::time::Instant;

use crate::{
    callers::{Caller, Refusal},
    house::{House, PATIENCE, every_dialect},
    wire::{Wire, get, post_with},
};

/// A year's quota that one call uses up, whoever calls.
const ONE_CALL: &str = r#"
[token_limit]
estimate = "off"
output = 5
opaque = "pass"
headers = { consumed = "x-tokens-consumed" }

[[token_limit.budget]]
name = "year"
key = ["user", "header:x-team", "model"]
quota = 5
period = "year"
"#;

async fn ask(wire: &mut Wire, caller: Caller, team: &str) {
    let headers = format!("content-type: application/json\r\nx-team: {team}");
    let body = caller.body().to_string();
    wire.send(post_with(caller.path(), &headers, &body)).await;
}

#[tokio::test]
async fn who_has_used_a_budget_up_is_told_so_in_its_own_words_and_others_are_not() {
    let house = House::open(&(every_dialect("") + ONE_CALL)).await;
    let used_up = Refusal {
        status: 429,
        code: "insufficient_quota",
        anthropic: "rate_limit_error",
        google: "RESOURCE_EXHAUSTED",
        says: "budget `year` (5 tokens per year) has ",
    };
    for caller in Caller::ALL {
        let mut wire = house.connect().await;
        ask(&mut wire, caller, "a").await;
        assert_eq!(wire.answer().await.status(), 200, "{caller:?}");
        ask(&mut wire, caller, "a").await;
        let refused = wire.answer().await;
        caller.assert_refused(&refused, &used_up);
        let wait = |name| refused.head.header(name).unwrap().parse::<u64>().unwrap();
        assert_eq!(wait("retry-after"), wait("retry-after-ms").div_ceil(1000));
        // Another team has a budget of its own, on the same connection.
        ask(&mut wire, caller, "b").await;
        assert_eq!(wire.answer().await.status(), 200, "{caller:?}");
    }
}

#[tokio::test]
async fn answers_tell_what_is_left_and_operators_see_the_budgets() {
    let house = House::open(&(every_dialect("") + ONE_CALL)).await;
    let mut wire = house.connect().await;
    ask(&mut wire, Caller::OpenAi, "a").await;
    let answer = wire.answer().await;
    assert_eq!(answer.head.header("x-ratelimit-limit-tokens"), Some("5"));
    let consumed = answer.head.header("x-tokens-consumed").unwrap();
    assert!(consumed.parse::<u64>().unwrap() > 0, "{consumed}");
    assert_eq!(
        answer.head.header("x-ratelimit-remaining-tokens"),
        Some("0")
    );
    assert!(
        answer
            .head
            .header("x-ratelimit-reset-tokens")
            .unwrap()
            .ends_with('s')
    );

    let status = house.status().await;
    let expected = serde_json::json!({
        "concurrency_limit": [],
        "request_limit": [],
        "store": { "kind": "memory", "keys": 1 },
        "token_limit": [{ "name": "year", "limit": "5 tokens per year" }],
    });
    assert_eq!(status["limits"], expected);
}

#[tokio::test]
async fn a_prompt_is_counted_by_its_model_s_own_vocabulary_where_that_decides() {
    // "Hello!" is 2 tokens of gpt-4o, 9 with the words around it.
    let limited = |tokens: u64| {
        format!(
            r#"
[token_limit]
estimate = "exact"
output = 0
opaque = "pass"

[[token_limit.budget]]
name = "prompt"
quota = {tokens}
period = "year"
"#
        )
    };
    for (tokens, status) in [(9, 200), (8, 400)] {
        let house = House::open(&(every_dialect("") + &limited(tokens))).await;
        let mut wire = house.connect().await;
        ask(&mut wire, Caller::OpenAi, "a").await;
        assert_eq!(wire.answer().await.status(), status, "{tokens}");
    }
}

/// Elsewhere the loopback network has one address.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn each_address_has_a_budget_of_its_own() {
    const ONE_EACH: &str = r#"
[[request_limit]]
key = ["ip"]
quota = 1
period = "year"
"#;
    let house = House::open(&(every_dialect("") + ONE_EACH)).await;
    for from in [[127, 0, 0, 2], [127, 0, 0, 3]] {
        for status in [200, 429] {
            let mut wire = Wire::connect_from(from, house.address()).await;
            ask(&mut wire, Caller::OpenAi, "a").await;
            assert_eq!(wire.answer().await.status(), status, "{from:?}");
        }
    }
}

#[tokio::test]
async fn the_list_of_models_costs_nothing() {
    let house = House::open(&(every_dialect("") + ONE_CALL)).await;
    let mut wire = house.connect().await;
    for _ in 0..3 {
        wire.send(get("/v1/models")).await;
        let answer = wire.answer().await;
        assert_ne!(answer.status(), 429);
        assert_eq!(answer.head.header("x-ratelimit-limit-tokens"), None);
    }
    assert_eq!(
        house.status().await["limits"]["store"]["keys"],
        Value::from(0)
    );
}

#[tokio::test]
async fn calls_beyond_a_number_are_refused_and_those_that_wait_are_served_in_turn() {
    const ONE_AT_A_TIME: &str = r#"
[[concurrency_limit]]
key = ["header:x-team"]
calls = 1
when = { "header:x-team" = "a" }

[[concurrency_limit]]
key = ["header:x-team"]
calls = 1
queue = 4
queue_timeout = "20s"
when = { "header:x-team" = "b" }
"#;
    let house = House::open(&(every_dialect("") + ONE_AT_A_TIME + SLOW)).await;
    let caller = Caller::OpenAi;
    let slow = |team: &str| {
        let headers = format!("content-type: application/json\r\nx-team: {team}");
        let body = caller.body().to_string().replace("gpt-4o", "slow");
        post_with(caller.path(), &headers, &body)
    };
    let (mut first, mut second) = (house.connect().await, house.connect().await);
    first.send(slow("a")).await;
    house.inside(0, 1).await;
    second.send(slow("a")).await;
    let refused = second.answer().await;
    assert_eq!(refused.status(), 429);
    assert_eq!(refused.json()["error"]["code"], "rate_limit_exceeded");
    assert_eq!(first.answer().await.status(), 200);
    // The connection stays of use, and the place is free again.
    second.send(slow("a")).await;
    assert_eq!(second.answer().await.status(), 200);

    first.send(slow("b")).await;
    house.inside(1, 1).await;
    second.send(slow("b")).await;
    assert_eq!(first.answer().await.status(), 200);
    assert_eq!(second.answer().await.status(), 200);
    house.inside(1, 0).await;
}

/// A model whose answers take a while.
pub(crate) const SLOW: &str = r#"
[[simulator]]
id = "slow"
listen = "127.0.0.1:0"
time_to_first_token = "300ms"

[[backend]]
id = "slow"
simulator = "slow"
dialect = "openai"

[[route]]
model = ["slow"]
backends = ["slow"]
"#;

impl House {
    /// Waits until so many calls are inside a limit.
    async fn inside(&self, limit: usize, calls: u64) {
        let until = Instant::now() + PATIENCE;
        while self.status().await["limits"]["concurrency_limit"][limit]["in_flight"] != calls {
            assert!(Instant::now() < until, "{calls} calls inside limit {limit}");
        }
    }
}

#[tokio::test]
async fn requests_are_limited_before_anything_else_is_and_operators_see_it() {
    let limits = r#"
[[request_limit]]
key = ["header:x-team"]
quota = 2
period = "year"

[[request_limit]]
name = "all"
key = []
requests = 1000
per = "1m"

[[concurrency_limit]]
key = []
calls = 1
"#;
    let house = House::open(&(every_dialect("") + limits)).await;
    let used_up = Refusal {
        status: 429,
        code: "insufficient_quota",
        anthropic: "rate_limit_error",
        google: "RESOURCE_EXHAUSTED",
        says: "request limit `requests` (2 requests per year) is reached",
    };
    let mut wire = house.connect().await;
    for left in ["1", "0"] {
        ask(&mut wire, Caller::OpenAi, "a").await;
        let answer = wire.answer().await;
        assert_eq!(answer.status(), 200);
        let told = answer.head.header("x-ratelimit-remaining-requests");
        assert_eq!(told, Some(left));
    }
    for caller in Caller::ALL {
        ask(&mut wire, caller, "a").await;
        caller.assert_refused(&wire.answer().await, &used_up);
        ask(&mut wire, caller, "b").await;
        let status = wire.answer().await.status();
        let expected =
            [200, 200, 429, 429][Caller::ALL.iter().position(|it| *it == caller).unwrap()];
        assert_eq!(status, expected, "{caller:?}");
    }
    let expected = serde_json::json!([
        { "name": "requests", "limit": "2 per year" },
        { "name": "all", "limit": "1000 per minute" },
    ]);
    assert_eq!(house.status().await["limits"]["request_limit"], expected);
}
