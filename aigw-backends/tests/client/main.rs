//! The client over TCP: what it connects to, what it reports, and when it lets go.
#![cfg(feature = "client")]
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod proxy;
mod server;
mod tls;

use std::{net::SocketAddr, pin::pin, time::Duration};

use aigw_backends::{
    client::{Client, Config, Protocol},
    leaf::Leaf,
};
use aigw_core::{
    call::CallLayer,
    outcome::{Fault, FaultKind},
};
use bytes::Bytes;
use http::{Request, Uri};
use http_body_util::{BodyExt, Full};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tower::{Layer, ServiceExt};

use self::server::{listen, plain, url};

/// How soon a hang-up must reach the provider.
const SOON: Duration = Duration::from_millis(100);

fn get(uri: Uri) -> Request<Full<Bytes>> {
    Request::get(uri).body(Full::default()).unwrap()
}

/// The whole text of an answer, or the fault in its place.
async fn ask(client: &Client<Full<Bytes>>, uri: Uri) -> Result<String, Fault> {
    let answer = client.clone().oneshot(get(uri)).await;
    let answer = answer.map_err(|error| error.fault())?;
    let body = answer.into_body().collect().await;
    let body = body.map_err(|error| error.fault())?;
    Ok(String::from_utf8(body.to_bytes().into()).unwrap())
}

async fn fault_of(client: &Client<Full<Bytes>>, uri: Uri) -> Fault {
    ask(client, uri).await.unwrap_err()
}

fn client() -> Client<Full<Bytes>> {
    Client::try_new(Config::default()).unwrap()
}

fn http2() -> Client<Full<Bytes>> {
    Client::try_new(Config::default().protocol(Protocol::Http2)).unwrap()
}

/// A provider that reads a request and then does as it is told with raw bytes.
async fn raw(reply: &'static [u8]) -> SocketAddr {
    listen(move |mut stream| async move {
        let mut buf = [0; 4096];
        let _ = stream.read(&mut buf).await;
        let _ = stream.write_all(reply).await;
    })
    .await
}

#[tokio::test]
async fn connections_are_kept_and_used_again() {
    let (address, seen) = plain().await;
    let client = client();
    for _ in 0..3 {
        let told = ask(&client, url("http", address, "/echo")).await.unwrap();
        assert_eq!(told, format!("HTTP/1.1 /echo Some(\"{address}\")"));
    }
    assert_eq!(seen.connections(), 1);
}

#[tokio::test]
async fn http2_is_spoken_by_prior_knowledge_on_one_connection() {
    let (address, seen) = plain().await;
    let client = http2();
    let calls = (0..8).map(|_| ask(&client, url("http", address, "/echo")));
    for call in calls {
        assert!(call.await.unwrap().starts_with("HTTP/2.0"));
    }
    assert_eq!(seen.connections(), 1);
}

#[tokio::test]
async fn a_refused_connection_is_a_502_that_was_never_dispatched() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let fault = fault_of(&client(), url("http", address, "/")).await;
    assert_eq!(fault, Fault::undispatched(FaultKind::Connect));
}

#[tokio::test]
async fn a_handshake_that_stalls_is_a_connect_timeout() {
    let address = listen(|stream| async move {
        let _open = stream;
        std::future::pending::<()>().await;
    })
    .await;
    let config = Config::default().connect_timeout(Duration::from_millis(50));
    let client = Client::try_new(config).unwrap();
    let fault = fault_of(&client, url("https", address, "/")).await;
    assert_eq!(fault, Fault::undispatched(FaultKind::ConnectTimeout));
}

#[tokio::test]
async fn what_breaks_after_the_request_was_sent_counts_as_dispatched() {
    let cases: [(&[u8], FaultKind); 4] = [
        (b"", FaultKind::Reset),
        (b"what is this?\r\n\r\n", FaultKind::Protocol),
        (
            b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf",
            FaultKind::Reset,
        ),
        (
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
            FaultKind::Protocol,
        ),
    ];
    for (reply, kind) in cases {
        let address = raw(reply).await;
        let fault = fault_of(&client(), url("http", address, "/")).await;
        assert_eq!(fault, Fault::dispatched(kind), "{reply:?}");
    }
}

#[tokio::test]
async fn a_leaf_answers_for_the_client_in_the_caller_s_dialect() {
    let address = raw(b"").await;
    let stack = CallLayer::new().layer(Leaf::new(Client::try_new(Config::default()).unwrap()));
    let uri = url("http", address, "/v1/messages");
    let body = Full::<Bytes>::from(r#"{"model":"m","messages":[],"max_tokens":1}"#);
    let request = Request::post(uri).body(body).unwrap();
    let answer = stack.oneshot(request).await.unwrap();
    assert_eq!(answer.status(), 502);
    assert_eq!(
        answer.extensions().get(),
        Some(&Fault::dispatched(FaultKind::Reset))
    );
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    let said = String::from_utf8_lossy(&body);
    assert!(said.contains(r#""type":"error""#), "{said}");
}

#[tokio::test]
async fn a_leaf_s_body_that_breaks_carries_its_fault() {
    let address = raw(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf").await;
    let stack = CallLayer::new().layer(Leaf::new(Client::try_new(Config::default()).unwrap()));
    let request = Request::get(url("http", address, "/v1/models"))
        .body(Full::<Bytes>::default())
        .unwrap();
    let answer = stack.oneshot(request).await.unwrap();
    let error = answer.into_body().collect().await.unwrap_err();
    assert_eq!(
        Fault::find(&*error),
        Some(&Fault::dispatched(FaultKind::Reset))
    );
}

#[tokio::test]
async fn a_dropped_body_closes_the_connection_of_http1() {
    let (address, seen) = plain().await;
    let call = client().oneshot(get(url("http", address, "/silent")));
    let mut body = call.await.unwrap().into_body();
    body.frame().await.unwrap().unwrap();
    drop(body);
    seen.drop_within(SOON).await;
    seen.close_within(SOON).await;
}

#[tokio::test]
async fn a_dropped_body_resets_the_stream_of_http2_and_keeps_the_connection() {
    let (address, seen) = plain().await;
    let client = http2();
    let call = client.clone().oneshot(get(url("http", address, "/silent")));
    let mut body = call.await.unwrap().into_body();
    body.frame().await.unwrap().unwrap();
    drop(body);
    seen.drop_within(SOON).await;
    ask(&client, url("http", address, "/echo")).await.unwrap();
    assert_eq!((seen.connections(), seen.closed()), (1, 0));
}

#[tokio::test]
async fn a_dropped_future_cancels_the_call() {
    let (gone, mut hung_up) = tokio::sync::mpsc::channel(1);
    let address = listen(move |mut stream| {
        let gone = gone.clone();
        async move {
            let mut buf = [0; 4096];
            // Reads until the client closes, and never answers.
            while stream.read(&mut buf).await.is_ok_and(|read| read > 0) {}
            gone.send(()).await.unwrap();
        }
    })
    .await;
    let call = client().oneshot(get(url("http", address, "/")));
    assert!(tokio::time::timeout(SOON, call).await.is_err());
    let hung_up = tokio::time::timeout(SOON, hung_up.recv()).await;
    hung_up.expect("the connection is open still").unwrap();
}

#[tokio::test]
async fn a_slow_reader_stalls_the_provider() {
    for client in [client(), http2()] {
        let (address, seen) = plain().await;
        let call = client.oneshot(get(url("http", address, "/firehose")));
        let mut body = pin!(call.await.unwrap().into_body());
        body.frame().await.unwrap().unwrap();
        let taken = seen.stall().await;
        // What lies between is the kernel's, and ours is 64 or 256 KiB of it.
        assert!(taken < 16 << 20, "{taken} bytes went to nobody");
        body.frame().await.unwrap().unwrap();
    }
}

#[cfg(feature = "timeout")]
#[tokio::test]
async fn a_reader_that_never_reads_is_closed_and_its_answer_dropped() {
    use aigw_backends::timeout::WriteTimeout;
    use aigw_core::rt::Tokio;

    let seen = server::Seen::default();
    let served = seen.clone();
    let address = listen(move |stream| {
        let stream = WriteTimeout::new(stream, Duration::from_millis(200), Tokio);
        server::serve(stream, served.clone())
    })
    .await;
    let mut reader = tokio::net::TcpStream::connect(address).await.unwrap();
    let request = b"GET /firehose HTTP/1.1\r\nhost: h\r\n\r\n";
    reader.write_all(request).await.unwrap();
    seen.drop_within(Duration::from_secs(5)).await;
    seen.close_within(SOON).await;
}
