//! Whose key a backend sees.
#![cfg(feature = "credentials")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::convert::Infallible;

#[cfg(feature = "serde")]
use aigw_backends::credentials::Secret;
use aigw_backends::credentials::{Credentials, CredentialsLayer};
use aigw_core::dialect::Dialect;
use http::{HeaderName, Request, Response};
use tower::{Layer, ServiceExt, service_fn};

/// The URL and the names of the headers that a backend sees.
async fn seen(layer: CredentialsLayer) -> (String, Vec<String>) {
    let backend = service_fn(|request: Request<()>| async move {
        let headers = request.headers();
        let mut names: Vec<_> = headers.keys().map(ToString::to_string).collect();
        names.sort_unstable();
        Ok::<_, Infallible>(Response::new((request.uri().to_string(), names)))
    });
    let request = Request::get("/p?a=1&key=k&token=t")
        .header("authorization", "Bearer k")
        .header("x-api-key", "k")
        .header("cookie", "session=k")
        .header("x-team", "t")
        .header("x-trace", "1")
        .body(())
        .unwrap();
    layer
        .layer(backend)
        .oneshot(request)
        .await
        .unwrap()
        .into_body()
}

fn layer(credentials: Credentials) -> CredentialsLayer {
    CredentialsLayer::try_new(credentials, Dialect::OpenAi)
        .unwrap()
        .hide_header(HeaderName::from_static("x-team"))
        .hide_query("token")
}

#[tokio::test]
async fn the_caller_s_key_reaches_a_backend_only_where_it_may_pass() {
    let (uri, names) = seen(layer(Credentials::PassThrough)).await;
    assert_eq!(uri, "/p?a=1&key=k&token=t");
    let all = ["authorization", "cookie", "x-api-key", "x-team", "x-trace"];
    assert_eq!(names, all);

    let (uri, names) = seen(layer(Credentials::Strip)).await;
    assert_eq!(
        (uri.as_str(), names),
        ("/p?a=1", vec!["x-trace".to_owned()])
    );

    let (uri, names) = seen(layer(Credentials::Bearer("b".into()))).await;
    assert_eq!(uri, "/p?a=1");
    assert_eq!(names, ["authorization", "x-trace"]);
}

#[cfg(feature = "serde")]
#[test]
fn credentials_are_read_from_a_file() {
    #[derive(Debug, serde::Deserialize)]
    struct Backend {
        credentials: Credentials,
    }

    let read = |text: &str| toml::from_str::<Backend>(text).map(|read| read.credentials);
    let key = read("credentials = { api_key = 'k' }");
    assert!(matches!(key, Ok(Credentials::ApiKey(_))));
    let passes = read("credentials = 'pass-through'");
    assert!(matches!(passes, Ok(Credentials::PassThrough)));
    assert!(read("credentials = { password = 'k' }").is_err());
}

#[cfg(feature = "serde")]
#[test]
fn a_mistyped_secret_is_not_repeated_by_the_error() {
    for mistyped in [
        "{ api_key = 31337 }",
        "{ api_key = ['31337'] }",
        "{ bearer = { value = '31337' } }",
        "{ 31337 = 'bearer' }",
        "{ api_key = 'k', bearer = '31337' }",
        "{ strip = '31337' }",
        "'31337'",
        "31337",
        "['31337']",
    ] {
        let document: toml::Table = toml::from_str(&format!("credentials = {mistyped}")).unwrap();
        let credentials = document["credentials"].clone();
        let error = credentials.try_into::<Credentials>().unwrap_err();
        let told = format!("{error} {error:?}");
        assert!(!told.contains("31337"), "{mistyped}: {told}");
        assert!(error.to_string().contains("`{ api_key = \"…\" }`"));
    }
    let error = toml::Value::from(31337).try_into::<Secret>().unwrap_err();
    assert_eq!(error.to_string().trim(), "expected a string");
}
