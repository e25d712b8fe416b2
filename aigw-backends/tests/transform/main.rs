//! What a backend sees of a call.
#![cfg(all(feature = "transform", feature = "credentials"))]
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use std::{convert::Infallible, sync::mpsc};

use aigw_backends::{
    credentials::{Credentials, CredentialsLayer},
    transform::{TransformLayer, Upstream},
};
use aigw_core::{call::CallLayer, dialect::Dialect, reject::Refused};
use bytes::Bytes;
use http::{Request, Response, Version};
use http_body_util::{BodyExt, Full};
use tower::{ServiceBuilder, ServiceExt};

/// What the backend was sent, and what the caller was answered.
async fn send(
    upstream: Upstream,
    request: Request<&'static str>,
) -> (Option<Request<Bytes>>, Response<Bytes>) {
    let (heard, sent) = mpsc::channel();
    let dialect = upstream.dialect();
    let credentials = Credentials::ApiKey("of-the-backend".into());
    let stack = ServiceBuilder::new()
        .layer(CallLayer::new())
        .layer(TransformLayer::new(upstream))
        .layer(CredentialsLayer::try_new(credentials, dialect).unwrap())
        .service_fn(move |request: Request<_>| {
            let heard = heard.clone();
            async move {
                let (head, body) = request.into_parts();
                let body: aigw_core::call::CallBody<Full<Bytes>> = body;
                let body = body.collect().await.unwrap().to_bytes();
                heard.send(Request::from_parts(head, body)).unwrap();
                let answer = Response::builder()
                    .header("connection", "x-hop")
                    .header("x-hop", "1")
                    .header("keep-alive", "timeout=5")
                    .header("alt-svc", "h3=\":443\"")
                    .header("set-cookie", "session=of-the-provider")
                    .header("x-request-id", "r-1");
                Ok::<_, Infallible>(answer.body(Full::from("answer")).unwrap())
            }
        });
    let request = request.map(Full::<Bytes>::from);
    let (head, body) = stack.oneshot(request).await.unwrap().into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    (sent.try_recv().ok(), Response::from_parts(head, body))
}

fn openai() -> Upstream {
    Upstream::try_new("http://o.test".parse().unwrap(), Dialect::OpenAi)
        .unwrap()
        .deployment("gpt-4o", "gpt-4o-2024")
}

fn azure() -> Upstream {
    Upstream::try_new("http://a.test".parse().unwrap(), Dialect::AzureOpenAi)
        .unwrap()
        .deployment("gpt-4o", "prod")
}

fn post(path: &str, body: &'static str) -> Request<&'static str> {
    Request::post(path)
        .header("content-type", "application/json")
        .header("content-length", body.len())
        .body(body)
        .unwrap()
}

const CHAT: &str = r#"{"model":"gpt-4o","messages":[]}"#;

#[tokio::test]
async fn an_edited_model_keeps_the_length_right() {
    let (sent, _) = send(openai(), post("/v1/chat/completions", CHAT)).await;
    let sent = sent.unwrap();
    assert_eq!(sent.uri(), "http://o.test/v1/chat/completions");
    assert_eq!(sent.body(), r#"{"model":"gpt-4o-2024","messages":[]}"#);
    assert_eq!(sent.headers()["content-length"], "37");
}

#[tokio::test]
async fn a_deployment_in_the_path_becomes_a_model_in_the_body() {
    let path = "/openai/deployments/gpt-4o/chat/completions?api-version=1&api-key=secret";
    let (sent, _) = send(openai(), post(path, r#"{"messages":[]}"#)).await;
    let sent = sent.unwrap();
    assert_eq!(sent.uri(), "http://o.test/v1/chat/completions");
    assert_eq!(sent.body(), r#"{"model":"gpt-4o-2024","messages":[]}"#);
    assert_eq!(sent.headers()["authorization"], "Bearer of-the-backend");
}

#[tokio::test]
async fn a_model_in_the_body_becomes_a_deployment_in_the_path() {
    let upstream = azure().api_version("2");
    let (sent, _) = send(upstream, post("/v1/chat/completions", CHAT)).await;
    let sent = sent.unwrap();
    assert_eq!(
        sent.uri(),
        "http://a.test/openai/deployments/prod/chat/completions?api-version=2"
    );
    assert_eq!(sent.body(), CHAT);
    assert_eq!(sent.headers()["api-key"], "of-the-backend");
}

#[tokio::test]
async fn the_unversioned_azure_api_reads_the_deployment_from_the_body() {
    let (sent, _) = send(azure(), post("/v1/chat/completions", CHAT)).await;
    let sent = sent.unwrap();
    assert_eq!(sent.uri(), "http://a.test/openai/v1/chat/completions");
    assert_eq!(sent.body(), r#"{"model":"prod","messages":[]}"#);
}

#[tokio::test]
async fn what_belongs_to_the_caller_s_connection_stays_there() {
    let mut request = post("/v1/chat/completions", CHAT);
    *request.version_mut() = Version::HTTP_10;
    for (name, value) in [
        ("host", "gateway.test"),
        ("connection", "keep-alive, x-hop"),
        ("x-hop", "1"),
        ("accept-encoding", "gzip"),
        ("authorization", "Bearer of-the-caller"),
        ("cookie", "session=1"),
        ("x-trace", "t-1"),
    ] {
        request.headers_mut().insert(name, value.parse().unwrap());
    }
    let (sent, answer) = send(openai(), request).await;
    let sent = sent.unwrap();
    assert_eq!(sent.version(), Version::HTTP_11);
    let mut names: Vec<_> = sent.headers().keys().map(|name| name.as_str()).collect();
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "accept-encoding",
            "authorization",
            "content-length",
            "content-type",
            "x-trace"
        ]
    );
    assert_eq!(sent.headers()["accept-encoding"], "identity");
    assert_eq!(sent.headers()["authorization"], "Bearer of-the-backend");

    let names: Vec<_> = answer.headers().keys().map(|name| name.as_str()).collect();
    assert_eq!(names, ["x-request-id"]);
    assert_eq!(answer.body(), "answer");
}

#[tokio::test]
async fn a_call_without_words_for_it_is_refused_and_not_sent() {
    let body = r#"{"model":"gpt-4o","messages":[],"max_tokens":1}"#;
    let (sent, answer) = send(openai(), post("/v1/messages", body)).await;
    assert!(sent.is_none());
    assert_eq!(answer.status(), 400);
    assert!(Refused::of(answer.extensions()).is_some());
}

#[tokio::test]
async fn a_get_is_sent_without_a_body_or_its_length() {
    let request = Request::get("/v1/models?limit=5").body("").unwrap();
    let (sent, _) = send(openai(), request).await;
    let sent = sent.unwrap();
    assert_eq!(sent.uri(), "http://o.test/v1/models?limit=5");
    assert!(!sent.headers().contains_key("content-length"));
}
