//! The way through a proxy.

use std::net::SocketAddr;

use aigw_backends::client::{Client, Config, ConfigError, Proxy};
use aigw_core::outcome::{Fault, FaultKind};
use bytes::Bytes;
use http::HeaderValue;
use http_body_util::Full;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional},
    net::TcpStream,
    sync::mpsc,
};

use crate::{
    ask, fault_of,
    server::{listen, plain, url},
};

/// A proxy that opens tunnels, answers everything else itself, and reports each head that it reads.
async fn proxy() -> (SocketAddr, mpsc::UnboundedReceiver<String>) {
    let (heard, heads) = mpsc::unbounded_channel();
    let address = listen(move |mut stream| {
        let heard = heard.clone();
        async move {
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.push(stream.read_u8().await.unwrap());
            }
            let head = String::from_utf8(head).unwrap();
            heard.send(head.clone()).unwrap();
            let mut words = head.split_whitespace();
            if words.next() == Some("CONNECT") {
                let to = words.next().unwrap();
                let mut provider = TcpStream::connect(to).await.unwrap();
                stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
                let _ = copy_bidirectional(&mut stream, &mut provider).await;
            } else {
                let reply = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nproxy";
                stream.write_all(reply).await.unwrap();
            }
        }
    })
    .await;
    (address, heads)
}

fn through(proxy: SocketAddr) -> Client<Full<Bytes>> {
    let proxy =
        Proxy::new(url("http", proxy, "/")).authorization(HeaderValue::from_static("Basic dTpw"));
    Client::try_new(Config::default().proxy(proxy)).unwrap()
}

#[tokio::test]
async fn http_is_asked_of_the_proxy_itself() {
    let (address, mut heads) = proxy().await;
    let client = through(address);
    let told = ask(&client, "http://provider.test/v1/models".parse().unwrap());
    assert_eq!(told.await.unwrap(), "proxy");
    let head = heads.recv().await.unwrap();
    assert!(head.starts_with("GET http://provider.test/v1/models HTTP/1.1\r\n"));
    assert!(
        head.contains("proxy-authorization: Basic dTpw\r\n"),
        "{head}"
    );
}

#[tokio::test]
async fn https_goes_through_a_tunnel() {
    let (address, mut heads) = proxy().await;
    let (provider, _) = plain().await;
    // The provider speaks no TLS: the tunnel stands, the session does not.
    let fault = fault_of(&through(address), url("https", provider, "/")).await;
    assert_eq!(fault, Fault::undispatched(FaultKind::Tls));
    let head = heads.recv().await.unwrap();
    let expected = format!("CONNECT {provider} HTTP/1.1\r\n");
    assert!(head.starts_with(&expected), "{head}");
    assert!(
        head.to_lowercase()
            .contains("proxy-authorization: basic dtpw\r\n")
    );
}

#[tokio::test]
async fn a_proxy_that_cannot_be_reached_is_a_connect_fault() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    for scheme in ["http", "https"] {
        let provider = format!("{scheme}://provider.test/").parse().unwrap();
        let fault = fault_of(&through(address), provider).await;
        assert_eq!(fault, Fault::undispatched(FaultKind::Connect));
    }
}

#[test]
fn a_proxy_with_a_password_in_its_url_is_refused() {
    let proxy = Proxy::new("http://user:hush@proxy.test:3128".parse().unwrap());
    assert!(!format!("{proxy:?}").contains("hush"));
    let refused = Client::<Full<Bytes>>::try_new(Config::default().proxy(proxy));
    assert!(matches!(refused, Err(ConfigError::Proxy)));
}
