//! Callers who hang up: the provider is told at once, and nothing is left behind.

use std::{
    convert::Infallible,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    task::{Context, Poll},
    time::{Duration, Instant},
};

use bytes::Bytes;
use http::{Request, Response};
use http_body::{Body, Frame};
use http_body_util::{BodyExt, Full};
use hyper::{body::Incoming, server::conn::http2, service::service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::{
    net::TcpListener,
    sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
    time::timeout,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{ServerConfig, pki_types::PrivateKeyDer},
};

use crate::{
    callers::Caller,
    house::{House, PATIENCE, one_backend},
    upstream::{STREAM, chunk, event, upstream},
    versions,
    wire::{Wire, post},
};

/// How soon a provider must know.
const BOUND: Duration = Duration::from_millis(100);

/// How often each way to hang up is tried. The median counts: a busy machine may let any single one
/// wait for its turn.
const ROUNDS: u64 = 5;

fn stream_request() -> String {
    let mut body = Caller::OpenAi.body();
    body["stream"] = true.into();
    post(Caller::OpenAi.path(), &body.to_string())
}

/// A provider that says one word of a stream, then nothing, and tells when its connection closes.
async fn one_word(closed: UnboundedSender<Instant>) -> String {
    upstream(move |mut wire| {
        let closed = closed.clone();
        async move {
            if wire.request().await.is_some() {
                wire.send(format!("{STREAM}{}", chunk(&event("Hello"))))
                    .await;
                wire.closed().await;
                closed.send(Instant::now()).unwrap();
            }
        }
    })
    .await
}

/// Hangs up by `hang_up`, which gives the time just before it did, and measures when the provider
/// knows.
async fn measure(
    told: &mut UnboundedReceiver<Instant>,
    mut hang_up: impl AsyncFnMut() -> Instant,
) -> Duration {
    let mut delays = Vec::new();
    for _ in 0..ROUNDS {
        let before = hang_up().await;
        let told = timeout(PATIENCE, told.recv()).await.expect("it is told");
        delays.push(told.unwrap().duration_since(before));
    }
    delays.sort();
    delays[delays.len() / 2]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_closed_stream_closes_the_providers_connection_within_100_ms() {
    let (tell, mut told) = unbounded_channel();
    let url = one_word(tell).await;
    let house = House::open(&one_backend(&url, "")).await;
    let delay = measure(&mut told, async || {
        let mut wire = house.connect().await;
        wire.send(stream_request()).await;
        assert_eq!(wire.head().await.status(), 200);
        assert!(wire.piece().await.is_some());
        let before = Instant::now();
        drop(wire);
        before
    })
    .await;
    assert!(delay < BOUND, "{delay:?}");
    house.quiet().await;
    let used = house.used_by("upstream", ROUNDS).await;
    // What was seen of each is counted: two tokens, by the length of their text.
    assert_eq!((used.dropped, used.counted), (ROUNDS, ROUNDS));
    assert_eq!((used.output, used.counted_output), (0, 2 * ROUNDS));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reset_stream_closes_the_providers_connection_and_not_the_callers() {
    let (tell, mut told) = unbounded_channel();
    let url = one_word(tell).await;
    let house = House::open(&one_backend(&url, "")).await;
    let mut client = versions::http2(house.address()).await;
    let mut body = Caller::OpenAi.body();
    body["stream"] = true.into();
    let delay = measure(&mut told, async || {
        let request = Request::post(format!("{}{}", house.url(), Caller::OpenAi.path()))
            .body(Full::new(Bytes::from(body.to_string())));
        let mut answer = client
            .send_request(request.unwrap())
            .await
            .unwrap()
            .into_body();
        answer.frame().await.unwrap().unwrap();
        let before = Instant::now();
        drop(answer);
        before
    })
    .await;
    assert!(delay < BOUND, "{delay:?}");
    assert_eq!(house.used_by("upstream", ROUNDS).await.dropped, ROUNDS);
    drop(client);
    house.quiet().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_who_hangs_up_before_the_answer_closes_the_providers_connection() {
    let (tell, mut told) = unbounded_channel();
    let (asked, mut arrived) = unbounded_channel();
    let url = upstream(move |mut wire| {
        let (tell, asked) = (tell.clone(), asked.clone());
        async move {
            if wire.request().await.is_some() {
                asked.send(()).unwrap();
                wire.closed().await;
                tell.send(Instant::now()).unwrap();
            }
        }
    })
    .await;
    let house = House::open(&one_backend(&url, "")).await;
    let delay = measure(&mut told, async || {
        let mut wire = house.connect().await;
        wire.send(Caller::OpenAi.request()).await;
        arrived.recv().await.unwrap();
        let before = Instant::now();
        drop(wire);
        before
    })
    .await;
    assert!(delay < BOUND, "{delay:?}");
    house.quiet().await;
    let used = house.used_by("upstream", ROUNDS).await;
    assert_eq!((used.dropped, used.unmeasured), (ROUNDS, ROUNDS));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_http2_the_providers_stream_is_reset_and_its_connection_kept() {
    let (tell, mut told) = unbounded_channel();
    let (url, ca, connections) = http2_upstream(tell).await;
    let toml = one_backend(&url, "") + &format!("[backend.tls]\nca = '''{ca}'''\n");
    let house = House::open(&toml).await;
    let delay = measure(&mut told, async || {
        let mut wire = Wire::connect(house.address()).await;
        wire.send(stream_request()).await;
        let head = wire.head().await;
        assert_eq!(head.status(), 200, "{head:?}");
        assert!(wire.piece().await.is_some());
        let before = Instant::now();
        drop(wire);
        before
    })
    .await;
    assert!(delay < BOUND, "{delay:?}");
    assert_eq!(house.used_by("upstream", ROUNDS).await.dropped, ROUNDS);
    assert_eq!(connections.load(SeqCst), 1);
}

/// The same over TLS and HTTP/2; also gives the certificate to trust, and counts connections.
async fn http2_upstream(reset: UnboundedSender<Instant>) -> (String, String, Arc<AtomicUsize>) {
    let signed = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(signed.signing_key.serialize_der()).unwrap();
    let ring = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
    let mut tls = ServerConfig::builder_with_provider(ring)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![signed.cert.der().clone()], key)
        .unwrap();
    tls.alpn_protocols = vec![b"h2".to_vec()];
    let acceptor = TlsAcceptor::from(Arc::new(tls));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let connections = Arc::<AtomicUsize>::default();
    let counter = Arc::clone(&connections);
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            counter.fetch_add(1, SeqCst);
            let stream = acceptor.accept(stream).await.unwrap();
            let reset = reset.clone();
            let service = service_fn(move |_: Request<Incoming>| {
                let body = OneWord {
                    word: Some(event("Hello")),
                    reset: reset.clone(),
                };
                async {
                    let answer = Response::builder().header("content-type", "text/event-stream");
                    answer.body(body)
                }
            });
            let builder = http2::Builder::new(TokioExecutor::new());
            tokio::spawn(builder.serve_connection(TokioIo::new(stream), service));
        }
    });
    let url = format!("https://localhost:{port}");
    (url, signed.cert.pem(), connections)
}

/// Says one word, then nothing, and tells when nobody listens any more.
struct OneWord {
    word: Option<String>,
    reset: UnboundedSender<Instant>,
}

impl Body for OneWord {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match self.word.take() {
            Some(word) => Poll::Ready(Some(Ok(Frame::data(word.into())))),
            None => Poll::Pending,
        }
    }
}

impl Drop for OneWord {
    fn drop(&mut self) {
        let _ = self.reset.send(Instant::now());
    }
}
