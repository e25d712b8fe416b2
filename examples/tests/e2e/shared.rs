//! One limit for several gateways, kept in Redis, and what becomes of calls without it.

use std::time::{Instant, SystemTime};

use serde_json::json;
use tokio::{net::TcpListener, task::JoinSet};

use crate::{
    callers::{Caller, Refusal},
    house::{House, PATIENCE, every_dialect},
    limits::SLOW,
    process::Program,
    wire::{Answer, Wire, post, post_with},
};

/// A limit of a year's tokens, of which each call holds what it allows its answer.
fn limited(url: &str, on_error: &str, quota: u64) -> String {
    let since = SystemTime::UNIX_EPOCH.elapsed().unwrap().as_nanos();
    every_dialect("")
        + &format!(
            r#"
[store]
kind = "redis"
url = "{url}"
on_error = "{on_error}"
namespace = "e2e-{}-{since}"

[token_limit]
estimate = "off"
output = "max_tokens"
opaque = "pass"

[[token_limit.budget]]
name = "year"
quota = {quota}
period = "year"
"#,
            std::process::id()
        )
}

#[expect(
    clippy::disallowed_methods,
    reason = "the test command says where its Redis is"
)]
fn redis() -> String {
    std::env::var("AIGW_TEST_REDIS_URL").expect("a Redis: run `cargo xtask test`")
}

/// Asks until it is refused, and says how many tokens were used.
async fn use_up(address: String) -> u64 {
    let mut wire = Program::connect(&address).await;
    let mut used = 0;
    loop {
        wire.send(capped()).await;
        let answer = wire.answer().await;
        match answer.status() {
            200 => used += answer.json()["usage"]["total_tokens"].as_u64().unwrap(),
            429 => return used,
            status => panic!("{status}: {answer:?}"),
        }
    }
}

/// A request whose answer has 50 tokens at most.
fn capped() -> String {
    let mut body = Caller::OpenAi.body();
    body["max_tokens"] = json!(50);
    post(Caller::OpenAi.path(), &body.to_string())
}

fn remaining(answer: &Answer) -> Option<u64> {
    let remaining = answer.head.header("x-ratelimit-remaining-tokens")?;
    Some(remaining.parse().unwrap())
}

#[tokio::test]
#[ignore = "needs a Redis"]
async fn three_gateways_give_out_no_more_than_one_limit() {
    const QUOTA: u64 = 20_000;
    let toml = limited(&redis(), "deny", QUOTA);
    let mut gateways = Vec::new();
    let mut clients = JoinSet::new();
    for number in 0..3 {
        let mut gateway = Program::gateway(&format!("shared-{number}.toml"), &toml);
        let address = gateway.address("listening on http://").await;
        for _ in 0..22 {
            clients.spawn(use_up(address.clone()));
        }
        gateways.push(gateway);
    }
    let used: u64 = clients.join_all().await.into_iter().sum();
    assert!(used <= QUOTA, "{used} of {QUOTA}");
    // Whoever is refused leaves at most what one call holds, and all others had hold of then.
    assert!(used > QUOTA - 66 * 60, "{used} of {QUOTA}");
    // They tell Redis what was used before they are gone.
    for gateway in gateways {
        gateway.terminate().await;
        assert_eq!(gateway.exit().await.code(), Some(0));
    }
    let house = House::open(&toml.replace(&QUOTA.to_string(), "30000")).await;
    let mut wire = house.connect().await;
    wire.send(capped()).await;
    let answer = wire.answer().await;
    assert_eq!(remaining(&answer), Some(30_000 - used - 50));
    let store = &house.status().await["limits"]["store"];
    assert_eq!(store["kind"], "redis");
    assert_eq!(
        (&store["dropped"], &store["in_doubt"]),
        (&json!(0), &json!(0))
    );
}

#[tokio::test]
#[ignore = "needs a Redis"]
async fn a_call_of_one_gateway_has_a_place_of_all() {
    const ONE: &str = "[[concurrency_limit]]\nkey = []\ncalls = 1\n";
    let slow = SLOW.replace("300ms", "3s");
    let toml = limited(&redis(), "deny", 20_000) + &slow + ONE;
    let (one, other) = (House::open(&toml).await, House::open(&toml).await);
    let (mut here, mut there) = (one.connect().await, other.connect().await);
    let body = Caller::OpenAi.body().to_string().replace("gpt-4o", "slow");
    let json = "content-type: application/json";
    here.send(post_with(Caller::OpenAi.path(), json, &body))
        .await;
    let until = Instant::now() + PATIENCE;
    while one.status().await["limits"]["store"]["leases"] != 1 {
        assert!(Instant::now() < until, "it gets no lease");
    }
    let refused = ask(&mut there, Caller::OpenAi).await;
    assert_eq!(refused.status(), 429);
    let message = refused.json()["error"]["message"].to_string();
    assert!(message.contains("`calls` admits 1 at once"), "{message}");
    assert_eq!(here.answer().await.status(), 200);
    // As soon as Redis knows.
    let until = Instant::now() + PATIENCE;
    while ask(&mut there, Caller::OpenAi).await.status() != 200 {
        assert!(Instant::now() < until, "its place is not given back");
    }
}

/// Where nobody listens.
async fn nowhere() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    format!("redis://{}", listener.local_addr().unwrap())
}

async fn ask(wire: &mut Wire, caller: Caller) -> Answer {
    wire.send(caller.request()).await;
    wire.answer().await
}

#[tokio::test]
async fn without_its_redis_a_gateway_does_what_was_chosen() {
    let url = nowhere().await;
    let unavailable = Refusal {
        status: 503,
        code: "service_unavailable",
        anthropic: "overloaded_error",
        google: "UNAVAILABLE",
        says: "what is left of the limits cannot be told at present",
    };
    for (on_error, statuses) in [
        ("allow", [200; 3]),
        ("deny", [503; 3]),
        ("local", [200, 200, 429]),
    ] {
        let house = House::open(&limited(&url, on_error, 26)).await;
        for caller in Caller::ALL {
            let mut wire = house.connect().await;
            for status in statuses {
                let answer = ask(&mut wire, caller).await;
                if status == 503 {
                    caller.assert_refused(&answer, &unavailable);
                    assert_eq!(answer.head.header("retry-after"), Some("1"));
                } else {
                    assert_eq!(answer.status(), status, "{on_error} {caller:?}: {answer:?}");
                    let degraded = answer.head.header("x-ratelimit-degraded");
                    assert_eq!(degraded, (status == 200).then_some("1"));
                }
            }
            if on_error == "local" {
                break;
            }
        }
        let store = &house.status().await["limits"]["store"];
        assert_eq!(
            (&store["is_lost"], &store["decided"]),
            (&json!(true), &json!(0))
        );
    }
}
