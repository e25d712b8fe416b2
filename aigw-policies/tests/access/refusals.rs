//! What callers are told who are not let in.

use aigw_core::{
    key::Consumer,
    reject::{DialectJson, MakeRejection, Reason, Refusal, Refused},
};
use aigw_policies::access::{ConsumerConfig, State};
use http::{HeaderValue, StatusCode, request};
use http_body_util::BodyExt;
use serde_json::{Value, json};

use super::{CHAT, Told, layer, post, send, teams};

async fn document(told: Told) -> Value {
    let body = told.answer.into_body().collect().await.unwrap().to_bytes();
    serde_json::from_slice(&body).unwrap()
}

async fn message(told: Told) -> String {
    let document = document(told).await;
    document["error"]["message"].as_str().unwrap().to_owned()
}

fn assert_refused(told: &Told, reason: Reason) {
    assert_eq!(told.answer.status(), reason.status());
    assert!(told.passed.is_none());
    let stays = Refused::of(told.answer.extensions()).unwrap().reason;
    let recorded = told.record.latest::<Refused>().unwrap().reason;
    assert_eq!((stays, recorded), (reason, reason));
}

#[tokio::test]
async fn a_missing_key_and_a_wrong_one_are_told_apart_in_words_alone() {
    let layer = layer(teams());
    let missing = send(&layer, post(CHAT)).await;
    let wrong = send(&layer, post(CHAT).header("api-key", "sk-nobody")).await;
    for told in [&missing, &wrong] {
        assert_refused(told, Reason::InvalidApiKey);
        assert_eq!(told.answer.headers()["www-authenticate"], "Bearer");
        assert_eq!(told.answer.headers()["x-should-retry"], "false");
        assert!(told.record.latest::<Consumer>().is_none());
    }
    let (missing, wrong) = (document(missing).await, document(wrong).await);
    assert_eq!(missing["error"]["code"], "invalid_api_key");
    assert_eq!(wrong["error"]["code"], "invalid_api_key");
    assert_eq!(wrong["error"]["message"], "this API key is not known here");
    assert_eq!(
        missing["error"]["message"],
        "this call has no API key: send one in `authorization: Bearer`, `api-key`, `x-api-key`, \
         `ocp-apim-subscription-key`, `x-goog-api-key`"
    );
}

#[tokio::test]
async fn whoever_has_no_key_is_told_where_to_put_one() {
    let config = teams().key_headers(["X-Gateway-Key"]).key_query("code");
    let told = message(send(&layer(config), post(CHAT)).await).await;
    assert!(
        told.ends_with("send one in `x-gateway-key`, `?code=`"),
        "{told}"
    );
}

#[tokio::test]
async fn a_wrong_key_is_refused_even_where_none_is_required() {
    let layer = layer(teams().required(false).key_query("code"));
    for request in [
        post(CHAT).header("authorization", "Bearer sk-nobody"),
        post(CHAT).header("api-key", "sk-nobody"),
        post("/v1/chat/completions?code=sk-nobody"),
    ] {
        let told = send(&layer, request).await;
        assert_refused(&told, Reason::InvalidApiKey);
        assert!(told.record.latest::<Consumer>().is_none());
    }
}

#[tokio::test]
async fn a_suspended_consumer_is_told_so() {
    let config = teams().consumer(
        ConsumerConfig::new("team-c")
            .key("sk-team-c")
            .state(State::Suspended),
    );
    let told = send(&layer(config), post(CHAT).header("api-key", "sk-team-c")).await;
    assert_refused(&told, Reason::Forbidden);
    let told = message(told).await;
    assert_eq!(told, "whoever holds this API key is suspended");
}

/// Each dialect's way to be asked, and the error that its SDK understands.
fn dialects() -> [(request::Builder, Value); 6] {
    let words = "this API key is not known here";
    [
        (
            post(CHAT).header("authorization", "Bearer sk-nobody"),
            json!({"error": {"message": words, "type": "invalid_request_error", "param": null,
                "code": "invalid_api_key"}}),
        ),
        (
            post("/openai/deployments/d/chat/completions?api-version=2024-10-21")
                .header("api-key", "sk-nobody"),
            json!({"error": {"code": "invalid_api_key", "message": words}}),
        ),
        (
            post("/models/chat/completions?api-version=2024-05-01-preview")
                .header("api-key", "sk-nobody"),
            json!({"error": {"code": "invalid_api_key", "message": words}}),
        ),
        (
            post("/v1/messages").header("x-api-key", "sk-nobody"),
            json!({"type": "error", "error": {"type": "authentication_error", "message": words}}),
        ),
        (
            post("/v1beta/models/g:generateContent").header("x-goog-api-key", "sk-nobody"),
            json!({"error": {"code": 401, "message": words, "status": "UNAUTHENTICATED"}}),
        ),
        (
            request::Builder::new()
                .uri("/v1/models")
                .header("x-goog-api-key", "sk-nobody"),
            json!({"error": {"code": 401, "message": words, "status": "UNAUTHENTICATED"}}),
        ),
    ]
}

#[tokio::test]
async fn every_dialect_is_refused_in_its_own_words() {
    for (request, expected) in dialects() {
        let told = send(&layer(teams()), request).await;
        assert_eq!(told.status(), 401);
        assert_eq!(told.answer.headers()["content-type"], "application/json");
        assert_eq!(document(told).await, expected);
    }
}

#[tokio::test]
async fn the_rejection_can_be_replaced_and_nobody_else_s_with_it() {
    let layer = layer(teams());
    let teapot = layer.clone().rejection(|dialect, refusal: &Refusal| {
        let mut answer = DialectJson.make_rejection(dialect, refusal);
        *answer.status_mut() = StatusCode::IM_A_TEAPOT;
        answer
            .headers_mut()
            .insert("x-gateway", HeaderValue::from_static("eu-1"));
        answer
    });
    let told = send(&teapot, post(CHAT)).await;
    assert_eq!(told.status(), 418);
    assert_eq!(told.answer.headers()["x-gateway"], "eu-1");
    assert_eq!(send(&layer, post(CHAT)).await.status(), 401);
}

#[tokio::test]
async fn nothing_that_is_printed_shows_a_key() {
    let config = teams().key_query("code");
    let printed = format!("{config:?}");
    let layer = layer(config);
    let printed = format!("{printed} {layer:?} {:?}", tower::Layer::layer(&layer, ()));
    let told = send(
        &layer,
        post("/p?code=sk-nobody").header("api-key", "sk-other"),
    )
    .await;
    let printed = format!("{printed} {:?} {:?}", told.record, told.answer.headers());
    let printed = format!("{printed} {}", document(told).await);
    // The digest of `sk-team-b` begins with these bytes.
    for secret in ["sk-", "41, 45, 7, 91", "292d075b"] {
        assert!(!printed.contains(secret), "{secret}: {printed}");
    }
}
