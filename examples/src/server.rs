//! Serves a tower service over TCP, on bare hyper: HTTP/1.1, and HTTP/2 with prior knowledge.
//!
//! # Examples
//!
//! ```
//! use std::{convert::Infallible, time::Duration};
//!
//! use aigw_examples::server::Server;
//! use bytes::Bytes;
//! use http::Response;
//! use http_body_util::Empty;
//! use tokio::net::TcpListener;
//! use tower::service_fn;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> std::io::Result<()> {
//! let listener = TcpListener::bind("127.0.0.1:0").await?;
//! let service = service_fn(async |_| Ok::<_, Infallible>(Response::new(Empty::<Bytes>::new())));
//! let at_once = std::future::ready(());
//! Server::default().drain(Duration::from_secs(1)).serve(listener, service, at_once).await;
//! # Ok(())
//! # }
//! ```

use std::{convert::Infallible, net::SocketAddr, pin::pin, time::Duration};

use aigw_backends::timeout::{ReaderTimeoutLayer, WriteTimeout};
use aigw_core::{BoxError, call::Record, key::ClientAddr, rt::Tokio};
use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use hyper::body::Incoming;
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{conn::auto, graceful::GracefulShutdown},
    service::TowerToHyperService,
};
#[cfg(not(unix))]
use tokio::signal;
#[cfg(unix)]
use tokio::signal::unix::{self, Signal, SignalKind};
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinSet,
    time,
};
use tower::{Layer, Service, ServiceExt};

/// How a service is served.
#[derive(Clone, Copy, Debug)]
#[must_use]
pub struct Server {
    write_timeout: Duration,
    drain: Duration,
}

/// The pause after a failed accept, which mostly means that file descriptors have run out.
const ACCEPT_PAUSE: Duration = Duration::from_millis(20);

impl Default for Server {
    /// A reader may take nothing for a minute, and answers have as long to end.
    fn default() -> Self {
        let minute = Duration::from_secs(60);
        Self {
            write_timeout: minute,
            drain: minute,
        }
    }
}

impl Server {
    /// How long a reader may take nothing of its answer.
    pub fn write_timeout(mut self, timeout: Duration) -> Self {
        self.write_timeout = timeout;
        self
    }

    /// How long answers may go on after the shutdown has begun.
    pub fn drain(mut self, drain: Duration) -> Self {
        self.drain = drain;
        self
    }

    /// Accepts connections until `shutdown` completes; then waits for the answers that are under
    /// way.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future closes the listener and all connections at once.
    pub async fn serve<S, B>(
        self,
        listener: TcpListener,
        service: S,
        shutdown: impl Future<Output = ()>,
    ) where
        S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible>,
        S: Clone + Send + 'static,
        S::Future: Send,
        B: Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
    {
        let mut builder = auto::Builder::new(TokioExecutor::new());
        builder.http1().timer(TokioTimer::new());
        builder.http2().timer(TokioTimer::new());
        let service = ReaderTimeoutLayer::new(self.write_timeout, Tokio).layer(service);
        let graceful = GracefulShutdown::new();
        // Owns the connections, so that they do not outlive this future.
        let mut connections = JoinSet::new();
        let mut shutdown = pin!(shutdown);
        loop {
            let (stream, peer) = tokio::select! {
                biased;
                () = &mut shutdown => break,
                accepted = accept(&listener) => accepted,
                Some(_) = connections.join_next() => continue,
            };
            let stream = WriteTimeout::new(stream, self.write_timeout, Tokio);
            let service = service.clone().map_request(came_from(peer));
            let service = TowerToHyperService::new(service);
            let connection = builder.serve_connection(TokioIo::new(Box::pin(stream)), service);
            let connection = graceful.watch(connection.into_owned());
            connections.spawn(async move {
                // A connection that breaks is the caller's loss, not ours.
                let _ = connection.await;
            });
        }
        drop(listener);
        let _ = time::timeout(self.drain, graceful.shutdown()).await;
        connections.shutdown().await;
    }
}

/// States of each request on a connection where it comes from, for limits that are by `ip`. Behind a
/// proxy that is the proxy.
pub fn came_from<B>(peer: SocketAddr) -> impl Fn(Request<B>) -> Request<B> + Clone {
    move |mut request| {
        Record::of(request.extensions_mut()).state(ClientAddr(peer.ip()));
        request
    }
}

async fn accept(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    loop {
        if let Ok((stream, peer)) = listener.accept().await {
            // Events are small and wait for nothing.
            let _ = stream.set_nodelay(true);
            return (stream, peer);
        }
        time::sleep(ACCEPT_PAUSE).await;
    }
}

/// The signals by which a process is told to stop: SIGTERM and Ctrl-C.
#[derive(Debug)]
pub struct StopSignals {
    #[cfg(unix)]
    signals: [Option<Signal>; 2],
}

impl StopSignals {
    /// Listens from now on, not from the first wait: whoever has read where we listen may tell us at
    /// once.
    #[must_use]
    pub fn listen() -> Self {
        Self {
            // Where no handler can be set, nobody can ask either.
            #[cfg(unix)]
            signals: [SignalKind::terminate(), SignalKind::interrupt()]
                .map(|kind| unix::signal(kind).ok()),
        }
    }

    /// Completes with the next signal.
    ///
    /// # Cancel safety
    ///
    /// No signal is lost.
    #[cfg(unix)]
    pub async fn next(&mut self) {
        let [terminate, interrupt] = &mut self.signals;
        tokio::select! {
            () = received(terminate) => {}
            () = received(interrupt) => {}
        }
    }

    /// Completes with the next signal.
    #[cfg(not(unix))]
    pub async fn next(&mut self) {
        if signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

#[cfg(unix)]
async fn received(signal: &mut Option<Signal>) {
    match signal {
        Some(signal) => drop(signal.recv().await),
        None => std::future::pending().await,
    }
}
