//! Request bodies that come too slowly, break off, or are far too large.

use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::Request;
use http_body::{Body, Frame};
use http_body_util::{BodyExt, Either, Full};
use serde_json::json;

use crate::{
    callers::{Caller, Refusal},
    house::{House, every_dialect},
    versions::http2,
    wire::{Wire, post},
};

const TIMEOUT: Refusal = Refusal {
    status: 408,
    code: "request_timeout",
    anthropic: "timeout_error",
    google: "DEADLINE_EXCEEDED",
    says: "did not arrive in time",
};

const TOO_LARGE: Refusal = Refusal {
    status: 413,
    code: "request_too_large",
    anthropic: "request_too_large",
    google: "INVALID_ARGUMENT",
    says: "larger than 1024 bytes",
};

#[tokio::test]
async fn a_body_that_comes_too_slowly_is_timed_out() {
    let house = House::open(&every_dialect(r#"body_timeout = "100ms""#)).await;
    for caller in Caller::ALL {
        let request = caller.request();
        let (sent, _) = request.split_at(request.len() - 5);
        let mut wire = house.connect().await;
        wire.send(sent).await;
        let answer = wire.answer().await;
        caller.assert_refused(&answer, &TIMEOUT);
        // What would come now belongs to the old request: HTTP/1 has no way to start another.
        wire.closed().await;
    }
    house.quiet().await;
}

#[tokio::test]
async fn over_http2_a_slow_body_costs_its_stream_and_not_the_connection() {
    let house = House::open(&every_dialect(r#"body_timeout = "100ms""#)).await;
    let mut client = http2(house.address()).await;
    let request = |body| {
        Request::post(format!("{}/v1/chat/completions", house.url()))
            .header("content-type", "application/json")
            .body(body)
            .unwrap()
    };
    let stuck = Stuck(Some(Bytes::from_static(b"{\"model\": ")));
    let answer = client.send_request(request(Either::Left(stuck))).await;
    assert_eq!(answer.unwrap().status(), 408);

    let body = Full::from(Caller::OpenAi.body().to_string());
    let answer = client.send_request(request(Either::Right(body))).await;
    let answer = answer.unwrap();
    assert_eq!(answer.status(), 200);
    answer.into_body().collect().await.unwrap();
}

#[tokio::test]
async fn a_body_that_breaks_off_ends_its_connection_and_nothing_else() {
    let house = House::open(&every_dialect("")).await;
    let request = Caller::OpenAi.request();
    let (sent, _) = request.split_at(request.len() - 5);
    let mut wire = house.connect().await;
    wire.send(sent).await;
    wire.finish().await;
    wire.closed().await;

    house.quiet().await;
    // It never became a call.
    assert_eq!(house.used("openai").await.calls, 0);
    assert_eq!(house.status().await["refused"], json!({}));
    let mut wire = house.connect().await;
    wire.send(request).await;
    assert_eq!(wire.answer().await.status(), 200);
}

#[tokio::test]
async fn a_body_without_an_announced_length_is_read_in_chunks() {
    let house = House::open(&every_dialect("max_body_bytes = 1024")).await;
    let mut wire = house.connect().await;
    let body = Caller::OpenAi.body().to_string();
    let (one, two) = body.split_at(10);
    let head =
        "POST /v1/chat/completions HTTP/1.1\r\nhost: gateway\r\ntransfer-encoding: chunked\r\n\r\n";
    let chunk = |data: &str| format!("{:x}\r\n{data}\r\n", data.len());
    wire.send(format!("{head}{}{}0\r\n\r\n", chunk(one), chunk(two)))
        .await;
    assert_eq!(wire.answer().await.status(), 200);

    let large = chunk(&"x".repeat(600));
    wire.send(format!("{head}{large}{large}0\r\n\r\n")).await;
    Caller::OpenAi.assert_refused(&wire.answer().await, &TOO_LARGE);
    wire.send(Caller::OpenAi.request()).await;
    assert_eq!(wire.answer().await.status(), 200);
}

#[tokio::test]
async fn a_body_without_end_is_answered_all_the_same() {
    let house = House::open(&every_dialect("max_body_bytes = 1024")).await;
    for caller in Caller::ALL {
        let mut wire = house.connect().await;
        // Beyond what is read and thrown away to keep the connection, and never finished.
        wire.send(post(caller.path(), "").replace("content-length: 0", "content-length: 9999999"))
            .await;
        wire.send([b'x'; 20_000]).await;
        caller.assert_refused(&wire.answer().await, &TOO_LARGE);
        wire.closed().await;
    }
    house.quiet().await;
}

#[tokio::test]
async fn who_asks_before_sending_too_much_need_not_send_it() {
    let house = House::open(&every_dialect("max_body_bytes = 1024")).await;
    let ask = async |wire: &mut Wire, length: usize| {
        let head = post(Caller::OpenAi.path(), "");
        let length = format!("content-length: {length}\r\nexpect: 100-continue");
        wire.send(head.replace("content-length: 0", &length)).await;
    };
    let mut wire = house.connect().await;
    ask(&mut wire, 2000).await;
    Caller::OpenAi.assert_refused(&wire.answer().await, &TOO_LARGE);

    let mut wire = house.connect().await;
    let body = Caller::OpenAi.body().to_string();
    ask(&mut wire, body.len()).await;
    assert_eq!(wire.head().await.line, "HTTP/1.1 100 Continue");
    wire.send(body).await;
    assert_eq!(wire.answer().await.status(), 200);
}

/// A body that says something and then no more.
struct Stuck(Option<Bytes>);

impl Body for Stuck {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match self.0.take() {
            Some(bytes) => Poll::Ready(Some(Ok(Frame::data(bytes)))),
            None => Poll::Pending,
        }
    }
}
