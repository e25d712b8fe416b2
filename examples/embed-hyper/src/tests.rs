use aigw_core::{meter::Ending, rt::Tokio, testing::Provider};
use aigw_examples::simulator;
use http_body_util::{BodyExt, Full};
use hyper::{Request, body::Bytes, client::conn, header};
use tokio::{net::TcpStream, sync::mpsc};

use super::*;

#[tokio::test]
async fn a_stream_passes_and_its_usage_is_known() {
    let at_home = ("127.0.0.1", 0);
    let provider = TcpListener::bind(at_home).await.unwrap();
    let url = format!("http://{}", provider.local_addr().unwrap());
    tokio::spawn(simulator::serve(
        provider,
        Provider::new(Tokio),
        std::future::pending(),
    ));
    let server = TcpListener::bind(at_home).await.unwrap();
    let address = server.local_addr().unwrap();
    let (send, mut told) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        let report = move |ended: &Ended<'_>| {
            send.send((ended.meter.usage().total(), ended.ending))
                .unwrap();
        };
        serve(server, settings(&[url]).unwrap().0, report).await
    });

    let stream = TokioIo::new(TcpStream::connect(address).await.unwrap());
    let (mut client, connection) = conn::http1::handshake(stream).await.unwrap();
    tokio::spawn(connection);
    let body =
        r#"{"model": "gpt-4o", "stream": true, "messages": [{"role": "user", "content": "Hi"}]}"#;
    let request = Request::post("/v1/chat/completions")
        .header(header::HOST, address.to_string())
        .header(header::CONTENT_TYPE, "application/json")
        .body(Full::<Bytes>::from(body))
        .unwrap();
    let answer = client.send_request(request).await.unwrap();
    assert_eq!(answer.status(), 200);
    let answer = answer.into_body().collect().await.unwrap().to_bytes();
    assert!(answer.ends_with(b"data: [DONE]\n\n"));
    let (total, ending) = told.recv().await.unwrap();
    assert!(total > Some(0));
    assert_eq!(ending, Ending::Complete);
}
