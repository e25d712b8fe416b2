//! A provider on 127.0.0.1 whose answers misbehave by path.

use std::{
    convert::Infallible,
    net::SocketAddr,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response, Uri};
use http_body::{Body, Frame};
use hyper::{body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    time::timeout,
};

/// What the provider has seen.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    connections: Arc<AtomicUsize>,
    closed: Arc<AtomicUsize>,
    dropped: Arc<AtomicUsize>,
    bytes: Arc<AtomicUsize>,
}

impl Seen {
    pub(crate) fn connections(&self) -> usize {
        self.connections.load(SeqCst)
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes.load(SeqCst)
    }

    pub(crate) fn closed(&self) -> usize {
        self.closed.load(SeqCst)
    }

    /// Waits until an answer has been dropped, within `limit`.
    pub(crate) async fn drop_within(&self, limit: Duration) {
        within(limit, || self.dropped.load(SeqCst) > 0).await;
    }

    /// Waits until a connection has been closed, within `limit`.
    pub(crate) async fn close_within(&self, limit: Duration) {
        within(limit, || self.closed.load(SeqCst) > 0).await;
    }

    /// Waits until no more bytes are taken.
    pub(crate) async fn stall(&self) -> usize {
        loop {
            let before = self.bytes();
            tokio::time::sleep(Duration::from_millis(100)).await;
            if before > 0 && self.bytes() == before {
                return before;
            }
        }
    }
}

async fn within(limit: Duration, happened: impl Fn() -> bool) {
    let waiting = async {
        while !happened() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    timeout(limit, waiting).await.expect("it does not happen");
}

/// Answers: `/echo` with what it was told, `/silent` with one piece and no end, `/firehose` with
/// all that is taken.
pub(crate) struct Answer {
    first: Option<Bytes>,
    then: Then,
    seen: Seen,
}

enum Then {
    End,
    Silence,
    More,
}

impl Body for Answer {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if let Some(first) = self.first.take() {
            return Poll::Ready(Some(Ok(Frame::data(first))));
        }
        match self.then {
            Then::End => Poll::Ready(None),
            Then::Silence => Poll::Pending,
            Then::More => {
                const PIECE: &[u8] = &[b'x'; 16 * 1024];
                self.seen.bytes.fetch_add(PIECE.len(), SeqCst);
                Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(PIECE)))))
            }
        }
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        if !matches!(self.then, Then::End) {
            self.seen.dropped.fetch_add(1, SeqCst);
        }
    }
}

/// Serves one connection until it ends.
pub(crate) async fn serve(io: impl AsyncRead + AsyncWrite + Unpin + 'static, seen: Seen) {
    seen.connections.fetch_add(1, SeqCst);
    let answers = seen.clone();
    let service = service_fn(move |request: Request<Incoming>| {
        let seen = answers.clone();
        async move { Ok::<_, Infallible>(answer(&request, seen)) }
    });
    let _ = auto::Builder::new(TokioExecutor::new())
        .serve_connection(TokioIo::new(io), service)
        .await;
    seen.closed.fetch_add(1, SeqCst);
}

fn answer(request: &Request<Incoming>, seen: Seen) -> Response<Answer> {
    let (first, then) = match request.uri().path() {
        "/silent" => ("begun".to_owned(), Then::Silence),
        "/firehose" => (String::new(), Then::More),
        _ => {
            let host = request.headers().get("host");
            let told = format!("{:?} {} {host:?}", request.version(), request.uri());
            (told, Then::End)
        }
    };
    let first = Some(Bytes::from(first)).filter(|first| !first.is_empty());
    Response::new(Answer { first, then, seen })
}

/// Listens on a port of its own and hands each connection to `handle`.
pub(crate) async fn listen<F>(handle: impl Fn(TcpStream) -> F + Send + 'static) -> SocketAddr
where
    F: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(handle(stream));
        }
    });
    address
}

/// A provider over plain TCP.
pub(crate) async fn plain() -> (SocketAddr, Seen) {
    let seen = Seen::default();
    let served = seen.clone();
    let address = listen(move |stream| serve(stream, served.clone())).await;
    (address, seen)
}

pub(crate) fn url(scheme: &str, address: SocketAddr, path: &str) -> Uri {
    format!("{scheme}://{address}{path}").parse().unwrap()
}
