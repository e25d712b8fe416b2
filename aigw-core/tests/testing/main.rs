//! The scripted provider, through its public face.
#![cfg(feature = "test-util")]
#![cfg_attr(
    feature = "test-util",
    expect(
        clippy::unwrap_used,
        clippy::panic,
        reason = "a test fails by panicking"
    )
)]

mod answers;
mod contracts;
mod faults;
mod limits;
mod pace;

use aigw_core::{
    rt::Tokio,
    testing::{
        Provider,
        provider::{Config, ResponseBody},
    },
};
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use serde_json::{Value, json};
use tower::ServiceExt;

const CHAT: &str = "http://east.test/v1/chat/completions";
const MESSAGES: &str = "http://east.test/v1/messages";
const GENERATE: &str = "http://east.test/v1beta/models/gemini-2.5-flash:generateContent";

fn provider() -> Provider<Tokio> {
    Provider::new(Tokio)
}

fn provider_with(config: Config) -> Provider<Tokio> {
    Provider::with_config(config, Tokio)
}

async fn post(
    provider: &Provider<Tokio>,
    uri: &str,
    body: &Value,
) -> Response<ResponseBody<Tokio>> {
    let request = Request::post(uri)
        .body(Full::<Bytes>::from(body.to_string()))
        .unwrap();
    provider.clone().oneshot(request).await.unwrap()
}

/// A chat completion with the script for everyone.
fn scripted(script: &Value, stream: bool) -> Value {
    let content = json!({"simulation": {"default": script}});
    json!({"model": "m", "stream": stream, "messages": [{"role": "system", "content": content}]})
}

fn hello() -> Value {
    json!({"model": "m", "max_tokens": 100, "messages": [{"role": "user", "content": "Hello!"}]})
}

async fn text(response: Response<ResponseBody<Tokio>>) -> String {
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    String::from_utf8(bytes.to_vec()).unwrap()
}

async fn object(response: Response<ResponseBody<Tokio>>) -> Value {
    serde_json::from_str(&text(response).await).unwrap()
}
