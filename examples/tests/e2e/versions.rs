//! HTTP/1.0, and HTTP/2 with prior knowledge.

use std::net::SocketAddr;

use aigw_core::BoxError;
use bytes::Bytes;
use http::Request;
use http_body::Body;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http2::{SendRequest, handshake};
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::json;
use tokio::net::TcpStream;

use crate::{
    callers::Caller,
    house::{House, every_dialect},
};

/// A connection that speaks HTTP/2 from the start.
pub(crate) async fn http2<B>(address: SocketAddr) -> SendRequest<B>
where
    B: Body<Data = Bytes, Error: Into<BoxError>> + Send + Unpin + 'static,
{
    let stream = TcpStream::connect(address).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let executor = TokioExecutor::new();
    let (client, connection) = handshake(executor, TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    client
}

fn as_http10(request: &str, header: &str) -> String {
    request
        .replace(" HTTP/1.1\r\n", " HTTP/1.0\r\n")
        .replace("host: gateway\r\n", header)
}

#[tokio::test]
async fn http10_is_answered_and_its_connection_closed() {
    let house = House::open(&every_dialect("")).await;
    for caller in Caller::ALL {
        let mut wire = house.connect().await;
        wire.send(as_http10(&caller.request(), "")).await;
        let answer = wire.answer().await;
        assert!(answer.head.line.starts_with("HTTP/1.0 200"), "{answer:?}");
        assert!(answer.json().is_object());
        wire.closed().await;
    }
}

#[tokio::test]
async fn http10_streams_without_chunks_until_the_connection_closes() {
    let house = House::open(&every_dialect("")).await;
    let mut body = Caller::OpenAi.body();
    body["stream"] = json!(true);
    let request = crate::wire::post(Caller::OpenAi.path(), &body.to_string());
    let mut wire = house.connect().await;
    wire.send(as_http10(&request, "")).await;
    let answer = wire.answer().await;
    assert!(answer.head.line.starts_with("HTTP/1.0 200"), "{answer:?}");
    assert_eq!(answer.head.header("transfer-encoding"), None);
    assert!(answer.text().starts_with("data: {"), "{answer:?}");
    assert!(answer.text().ends_with("data: [DONE]\n\n"), "{answer:?}");
    assert_eq!(house.used_by("openai", 1).await.complete, 1);
}

#[tokio::test]
async fn http10_keeps_a_connection_that_asks_for_it() {
    let house = House::open(&every_dialect("")).await;
    let mut wire = house.connect().await;
    for caller in Caller::ALL {
        wire.send(as_http10(&caller.request(), "connection: keep-alive\r\n"))
            .await;
        let answer = wire.answer().await;
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.head.header("connection"), Some("keep-alive"));
    }
}

#[tokio::test]
async fn http2_serves_every_dialect_on_one_connection() {
    let house = House::open(&every_dialect("")).await;
    let mut client = http2(house.address()).await;
    for caller in Caller::ALL {
        let request = Request::post(format!("{}{}", house.url(), caller.path()))
            .header("content-type", "application/json")
            .body(Full::from(caller.body().to_string()))
            .unwrap();
        let answer = client.send_request(request).await.unwrap();
        assert_eq!(answer.status(), 200);
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        assert!(body.starts_with(b"{"));
    }
}
