use std::convert::Infallible;

use aigw_core::{call::CallLayer, dialect::Dialect, meter::MeterLayer, reject::Refused, rt::Tokio};
use aigw_policies::{
    budget::{Claim, Headers, Key, MemoryStore, Verdict},
    token_limit::{Budget, ConfigError, OnOpaque, TokenLimitLayer},
};
use http::HeaderName;
use http_body_util::BodyExt;
use tower::{ServiceBuilder, ServiceExt, service_fn};

use crate::house::{House, chat, per_minute, usage};

#[tokio::test(start_paused = true)]
async fn headers_tell_of_the_budget_that_has_the_least_left() {
    let house = House::new([
        Budget::new("wide", per_minute(60_000)),
        Budget::new("narrow", per_minute(600)),
        Budget::new("calls", per_minute(1)).calls(),
    ]);
    let answer = house.call(chat(100)).await;
    let header = |name| answer.headers()[name].to_str().unwrap();
    assert_eq!(header("x-ratelimit-limit-tokens"), "600");
    assert_eq!(header("x-ratelimit-remaining-tokens"), "450");
    assert_eq!(header("x-ratelimit-reset-tokens"), "15s");
}

#[tokio::test(start_paused = true)]
async fn what_is_left_goes_down_with_what_is_used() {
    let house = House::new([Budget::new("rate", per_minute(1000))]);
    let mut seen = Vec::new();
    for _ in 0..3 {
        let answer = house.call(chat(0)).await;
        seen.push(
            answer.headers()["x-ratelimit-remaining-tokens"]
                .to_str()
                .unwrap()
                .to_owned(),
        );
    }
    // Each call holds 50 and has used 20 in the end.
    assert_eq!(seen, ["950", "930", "910"]);
}

#[tokio::test(start_paused = true)]
async fn what_others_took_before_the_head_came_is_told_as_gone() {
    let store = MemoryStore::with_clock(Tokio, 10);
    let taking = store.clone();
    let house = House::over(store, [Budget::new("rate", per_minute(1000))]).answering(move |_| {
        let claim = Claim {
            key: Key::new("rate", [None::<&str>; 0]),
            limit: per_minute(1000),
            amount: 300,
        };
        assert!(matches!(
            taking.reserve_now(vec![claim]),
            Verdict::Admitted(_)
        ));
        usage(1, 1)
    });
    let answer = house.call(chat(0)).await;
    assert_eq!(answer.headers()["x-ratelimit-remaining-tokens"], "650");
}

#[tokio::test(start_paused = true)]
async fn headers_have_the_names_that_they_are_given() {
    let mut headers = Headers::none();
    headers.remaining = Some(HeaderName::from_static("remaining-tokens"));
    let house = House::new([Budget::new("rate", per_minute(1000))])
        .limit(|limit| limit.headers(headers).unwrap());
    let answer = house.call(chat(0)).await;
    assert_eq!(answer.headers()["remaining-tokens"], "950");
    assert!(!answer.headers().contains_key("x-ratelimit-limit-tokens"));
}

#[tokio::test(start_paused = true)]
async fn of_two_limiters_the_one_that_refuses_tells_or_the_one_with_the_least_left() {
    let house = |tokens| House::new([Budget::new("rate", per_minute(tokens))]);
    for (outer, inner, told, left) in [(100, 900, "100", "50"), (900, 100, "100", "50")] {
        let (outer, inner) = (house(outer), house(inner));
        let stack = ServiceBuilder::new()
            .layer(CallLayer::new())
            .layer(outer.limit)
            .layer(inner.limit)
            .layer(MeterLayer::new())
            .service(service_fn(async |_| Ok::<_, Infallible>(usage(10, 60))));
        let answer = stack.clone().oneshot(chat(0)).await.unwrap();
        let header = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
        assert_eq!(header("x-ratelimit-limit-tokens"), told);
        assert_eq!(header("x-ratelimit-remaining-tokens"), left);
        drop(answer.into_body().collect().await.unwrap());
        // 30 are left of the one, and both are asked for 50.
        let refused = stack.oneshot(chat(0)).await.unwrap();
        assert_eq!(refused.status(), 429);
        assert_eq!(refused.headers()["x-ratelimit-limit-tokens"], "100");
        assert_eq!(refused.headers()["x-ratelimit-remaining-tokens"], "30");
    }
}

#[tokio::test(start_paused = true)]
async fn a_refusal_is_in_the_words_of_the_caller_and_typed_for_us() {
    for (path, dialect, code) in [
        ("/v1/chat/completions", Dialect::OpenAi, "/error/code"),
        (
            "/openai/deployments/m/chat/completions?api-version=1",
            Dialect::AzureOpenAi,
            "/error/code",
        ),
        ("/v1/messages", Dialect::Anthropic, "/error/type"),
        (
            "/v1beta/models/m:generateContent",
            Dialect::Gemini,
            "/error/status",
        ),
    ] {
        let house = House::new([Budget::new("rate", per_minute(60))]);
        let ask = || {
            let mut request = chat(0);
            *request.uri_mut() = path.parse().unwrap();
            request
        };
        let _held = house.send(ask()).await;
        let refused = house.call(ask()).await;
        assert_eq!(refused.status(), 429, "{dialect}");
        let error: serde_json::Value = serde_json::from_slice(refused.body()).unwrap();
        let word = error.pointer(code).unwrap().as_str().unwrap();
        let expected = match dialect {
            Dialect::Anthropic => "rate_limit_error",
            Dialect::Gemini => "RESOURCE_EXHAUSTED",
            _ => "rate_limit_exceeded",
        };
        assert_eq!(word, expected, "{dialect}");
        let reason = Refused::of(refused.extensions()).unwrap().reason;
        assert_eq!(reason.as_str(), "rate_limit");
        assert_eq!(refused.headers()["x-ratelimit-remaining-tokens"], "10");
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_provider_says_of_its_own_limits_does_not_pass() {
    let house = House::new([Budget::new("calls", per_minute(10)).calls()]).answering(|_| {
        let mut answer = usage(1, 1);
        for name in ["limit", "remaining", "reset"] {
            let name = HeaderName::try_from(format!("x-ratelimit-{name}-tokens")).unwrap();
            answer.headers_mut().insert(name, "149999".parse().unwrap());
        }
        // Of one that is a gateway itself.
        let degraded = "1".parse().unwrap();
        answer
            .headers_mut()
            .insert("x-ratelimit-degraded", degraded);
        answer
    });
    let answer = house.call(chat(0)).await;
    assert!(
        answer
            .headers()
            .keys()
            .all(|name| !name.as_str().starts_with("x-ratelimit"))
    );
}

#[test]
fn a_header_that_is_taken_is_an_error() {
    let layer = || {
        let budget = Budget::new("rate", per_minute(1));
        TokenLimitLayer::try_new([budget], MemoryStore::new(), OnOpaque::Pass).unwrap()
    };
    let mut headers = Headers::tokens();
    headers.reset = headers.limit.clone();
    let error = layer().headers(headers).unwrap_err();
    let taken = "x-ratelimit-limit-tokens";
    assert_eq!(error, ConfigError::Header(taken.into()));
    let mut headers = Headers::none();
    headers.limit = Some(http::header::CONTENT_LENGTH);
    assert!(layer().headers(headers).is_err());
    let error = layer().quota_status(http::StatusCode::OK).unwrap_err();
    assert_eq!(error, ConfigError::Status(200));
}
