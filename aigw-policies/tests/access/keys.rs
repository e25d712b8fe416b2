//! Where keys are found, whose they are, and what becomes of them.

use std::convert::Infallible;

use aigw_core::{
    call::{CallBody, CallLayer, HasCall},
    dialect::{Dialect, Operation, Target},
    key::{Consumer, Dimension},
};
use aigw_policies::access::{Config, ConsumerConfig, State};
use bytes::Bytes;
use http::{HeaderValue, Request, Response};
use http_body_util::{BodyExt, Full};
use tower::{Layer, ServiceExt, service_fn};

use super::{CHAT, layer, post, send, teams};

/// The id of the consumer that a request is let in as.
async fn let_in(config: Config, request: http::request::Builder) -> Option<String> {
    let told = send(&layer(config), request).await;
    told.passed.as_ref().and_then(|_| told.consumer())
}

#[tokio::test]
async fn a_key_is_found_in_every_header_where_sdks_put_theirs() {
    for (name, value) in [
        ("authorization", "Bearer sk-team-a"),
        ("api-key", "sk-team-a"),
        ("x-api-key", "sk-team-a"),
        ("ocp-apim-subscription-key", "sk-team-a"),
        ("x-goog-api-key", "sk-team-a"),
    ] {
        let told = send(&layer(teams()), post(CHAT).header(name, value)).await;
        assert_eq!(told.status(), 200, "{name}");
        let consumer = told.record.latest::<Consumer>().unwrap();
        let expected = Consumer::new("team-a").label("tier", "gold");
        assert_eq!(*consumer, expected, "{name}");
        let passed = told.passed.unwrap();
        let left = passed.headers.values().any(|value| !value.is_empty());
        assert!(!left, "{name}: {:?}", passed.headers);
    }
}

#[tokio::test]
async fn the_scheme_bearer_is_read_in_any_case_and_no_other_is() {
    let call = |value: &str| let_in(teams(), post(CHAT).header("authorization", value));
    for value in ["Bearer sk-team-b", "bearer sk-team-b", "BEARER  sk-team-b"] {
        assert_eq!(call(value).await.as_deref(), Some("team-b"), "{value}");
    }
    for value in ["sk-team-b", "Basic sk-team-b", "Bearersk-team-b", "Bearer"] {
        assert_eq!(call(value).await, None, "{value}");
    }
}

#[tokio::test]
async fn a_consumer_may_hold_several_keys() {
    for key in ["sk-team-a", "sk-team-a-next"] {
        let id = let_in(teams(), post(CHAT).header("api-key", key)).await;
        assert_eq!(id.as_deref(), Some("team-a"), "{key}");
    }
}

#[tokio::test]
async fn a_key_counts_whole_and_as_it_is_spelt() {
    for key in ["sk-team", "sk-team-aa", "SK-TEAM-A", "sk-team-a,sk-team-b"] {
        let id = let_in(teams(), post(CHAT).header("api-key", key)).await;
        assert_eq!(id, None, "{key}");
    }
}

#[tokio::test]
async fn the_first_key_that_somebody_holds_decides() {
    let request = post(CHAT)
        .header("x-api-key", "sk-team-a")
        .header("api-key", "sk-nobody")
        .header("api-key", "sk-team-b")
        .header("authorization", "Basic c2s6");
    let told = send(&layer(teams()), request).await;
    assert_eq!(told.consumer().as_deref(), Some("team-b"));

    // In the order of the settings.
    let turned = teams().key_headers(["x-api-key", "API-Key"]);
    let request = post(CHAT)
        .header("api-key", "sk-team-b")
        .header("x-api-key", "sk-team-a");
    assert_eq!(let_in(turned, request).await.as_deref(), Some("team-a"));
}

#[tokio::test]
async fn a_key_in_the_query_is_found_by_the_name_that_is_set_and_by_no_other() {
    let set = || teams().key_query("api-key");
    for uri in [
        "/v1/models?api-key=sk-team-b",
        "/v1/models?a=b&Api%2DKey=sk%2dteam%2Db",
        "/v1/models?api-key=&api-key=sk-nobody&api-key=sk-team-b",
    ] {
        let id = let_in(set(), Request::get(uri)).await;
        assert_eq!(id.as_deref(), Some("team-b"), "{uri}");
        assert_eq!(let_in(teams(), Request::get(uri)).await, None, "{uri}");
    }
    for uri in ["/v1/models?key=sk-team-b", "/v1/models?api-key"] {
        assert_eq!(let_in(set(), Request::get(uri)).await, None, "{uri}");
    }
}

#[tokio::test]
async fn a_header_decides_before_the_query() {
    let request = Request::get("/v1/models?api-key=sk-team-b").header("api-key", "sk-team-a");
    let told = send(&layer(teams().key_query("api-key")), request).await;
    assert_eq!(told.consumer().as_deref(), Some("team-a"));
    assert_eq!(told.passed.unwrap().uri, "/v1/models");
}

#[tokio::test]
async fn no_key_of_a_consumer_goes_further_and_everything_else_does() {
    let config = teams()
        .key_headers(["x-gateway-key", "authorization", "api-key"])
        .key_query("code");
    let request = post("/p?a=%20&CODE=sk-team-b&code=x&b")
        .header("x-gateway-key", "sk-team-a")
        .header("authorization", "Bearer of-the-provider")
        .header("api-key", "sk-team-a-next")
        .header("x-trace", "1");
    let passed = send(&layer(config), request).await.passed.unwrap();
    assert_eq!(passed.uri, "/p?a=%20&b");
    let mut left: Vec<_> = passed.headers.iter().collect();
    left.sort_unstable_by_key(|(name, _)| name.as_str());
    let left: Vec<_> = left
        .into_iter()
        .map(|(name, value)| (name.as_str(), value.to_str().unwrap()))
        .collect();
    let expected = [
        ("authorization", "Bearer of-the-provider"),
        ("x-trace", "1"),
    ];
    assert_eq!(left, expected);
}

#[tokio::test]
async fn a_call_of_google_s_sdk_is_known_as_such_without_its_key() {
    let request = Request::get("/v1/models").header("x-goog-api-key", "sk-team-a");
    let passed = send(&layer(teams()), request).await.passed.unwrap();
    assert_eq!(
        passed.headers.get("x-goog-api-key"),
        Some(&HeaderValue::from_static(""))
    );
    let target = Target::recognize(&passed.method, &passed.uri, &passed.headers);
    assert_eq!(target.dialect(), Dialect::Gemini);
    assert_eq!(target.operation(), Operation::Models);
}

#[tokio::test]
async fn without_a_key_a_caller_is_anonymous_where_none_is_required() {
    let open = || teams().required(false);
    for request in [
        post(CHAT),
        post(CHAT).header("authorization", "Basic c2s6"),
        post(CHAT).header("api-key", "").header("x-api-key", " "),
    ] {
        let id = let_in(open(), request).await;
        assert_eq!(id.as_deref(), Some(Config::ANONYMOUS));
    }
    let id = let_in(open(), post(CHAT).header("api-key", "sk-team-b")).await;
    assert_eq!(id.as_deref(), Some("team-b"));
    // Nobody need hold a key then.
    let id = let_in(Config::default().required(false), post(CHAT)).await;
    assert_eq!(id.as_deref(), Some(Config::ANONYMOUS));
}

#[tokio::test]
async fn a_key_that_is_no_text_is_a_key_that_nobody_holds() {
    let bytes = HeaderValue::from_bytes(b"sk-\xff").unwrap();
    let told = send(&layer(teams()), post(CHAT).header("api-key", bytes)).await;
    assert_eq!(told.status(), 401);
    let schlüssel = Config::default().consumer(ConsumerConfig::new("c").key("schlüssel"));
    let bytes = HeaderValue::from_bytes("schlüssel".as_bytes()).unwrap();
    let request = post(CHAT).header("api-key", bytes);
    assert_eq!(let_in(schlüssel, request).await.as_deref(), Some("c"));
}

#[tokio::test]
async fn whoever_is_suspended_is_known_and_kept_out() {
    let config = teams().consumer(
        ConsumerConfig::new("team-c")
            .key("sk-team-c")
            .state(State::Suspended),
    );
    let told = send(&layer(config), post(CHAT).header("api-key", "sk-team-c")).await;
    assert_eq!(told.status(), 403);
    assert!(told.passed.is_none());
    assert_eq!(told.consumer().as_deref(), Some("team-c"));
}

#[tokio::test]
async fn further_in_calls_are_told_apart_by_their_consumer() {
    let dimensions = service_fn(|request: Request<CallBody<Full<Bytes>>>| {
        let value = |dimension: &str| {
            let dimension: Dimension = dimension.parse().unwrap();
            let value = dimension.value(request.body().call(), request.headers());
            value.map(String::from).unwrap_or_default()
        };
        let told = format!("{} {}", value("consumer"), value("label:tier"));
        std::future::ready(Ok::<_, Infallible>(Response::new(Full::<Bytes>::from(
            told,
        ))))
    });
    let stack = layer(teams()).layer(CallLayer::new().layer(dimensions));
    let body = Full::<Bytes>::from(r#"{"model":"m","messages":[]}"#);
    let request = post(CHAT).header("api-key", "sk-team-a").body(body);
    let answer = stack.oneshot(request.unwrap()).await.unwrap();
    let told = answer.into_body().collect().await.unwrap().to_bytes();
    assert_eq!(told, "team-a gold");
}
