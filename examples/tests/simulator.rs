//! The simulator over TCP.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use aigw_core::{
    rt::Tokio,
    testing::{Provider, provider::Fate},
};
use aigw_examples::simulator;
use bytes::Bytes;
use http::{Request, Version};
use http_body_util::{BodyExt, Full};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use serde_json::json;
use tokio::{net::TcpListener, sync::oneshot};

/// Asks for a stream and leaves it after its first event, then asks for a whole answer.
async fn converse(http2: bool) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let uri = format!(
        "http://{}/v1/chat/completions",
        listener.local_addr().unwrap()
    );
    let provider = Provider::new(Tokio);
    let (stop, stopped) = oneshot::channel::<()>();
    let shutdown = async {
        let _ = stopped.await;
    };
    let server = tokio::spawn(simulator::serve(listener, provider.clone(), shutdown));
    let client = Client::builder(TokioExecutor::new())
        .http2_only(http2)
        .build_http();
    let ask = |script: serde_json::Value| {
        let message = json!({"role": "system", "content": {"simulation": {"default": script}}});
        let body = json!({"model": "m", "stream": true, "messages": [message]});
        let body = Full::<Bytes>::from(body.to_string());
        client.request(Request::post(&uri).body(body).unwrap())
    };

    let mut hanging = ask(json!({"hang_after_chunks": 1})).await.unwrap();
    assert!(hanging.frame().await.unwrap().is_ok());
    drop(hanging);
    let whole = ask(json!({"text": "fine"})).await.unwrap();
    let version = if http2 {
        Version::HTTP_2
    } else {
        Version::HTTP_11
    };
    assert_eq!(whole.version(), version);
    let bytes = whole.into_body().collect().await.unwrap().to_bytes();
    assert!(bytes.ends_with(b"data: [DONE]\n\n"));
    let broken = ask(json!({"drop_after_chunks": 1})).await.unwrap();
    assert!(broken.into_body().collect().await.is_err());

    drop(client);
    stop.send(()).unwrap();
    server.await.unwrap();
    assert_eq!(provider.in_flight(), 0);
    let fates: Vec<Fate> = provider.calls().iter().map(|call| call.fate).collect();
    assert_eq!(fates, [Fate::Dropped, Fate::Finished, Fate::Broken]);
}

#[tokio::test]
async fn http1_streams_breaks_and_notices_who_hangs_up() {
    converse(false).await;
}

#[tokio::test]
async fn http2_streams_breaks_and_notices_who_hangs_up() {
    converse(true).await;
}
