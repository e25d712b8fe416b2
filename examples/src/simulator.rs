//! Serves a scripted [`Provider`] over TCP.
//!
//! # Examples
//!
//! ```
//! use aigw_core::{rt::Tokio, testing::Provider};
//! use aigw_examples::simulator;
//! use tokio::net::TcpListener;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> std::io::Result<()> {
//! let listener = TcpListener::bind("127.0.0.1:0").await?;
//! let at_once = std::future::ready(());
//! simulator::serve(listener, Provider::new(Tokio), at_once).await;
//! # Ok(())
//! # }
//! ```

use std::{pin::pin, time::Duration};

use aigw_core::{rt::Tokio, testing::Provider};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{conn::auto, graceful::GracefulShutdown},
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinSet,
    time,
};

/// The pause after a failed accept, which mostly means that file descriptors have run out.
const ACCEPT_PAUSE: Duration = Duration::from_millis(20);

/// Accepts connections, HTTP/1.1 or HTTP/2 with prior knowledge, until `shutdown` completes; then
/// waits for the answers that are under way.
///
/// # Cancel safety
///
/// Dropping the future closes the listener and all connections at once.
pub async fn serve<F>(listener: TcpListener, provider: Provider<Tokio>, shutdown: F)
where
    F: Future<Output = ()>,
{
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new());
    builder.http2().timer(TokioTimer::new());
    let graceful = GracefulShutdown::new();
    // Owns the connections, so that they do not outlive this future.
    let mut connections = JoinSet::new();
    let mut shutdown = pin!(shutdown);
    loop {
        let stream = tokio::select! {
            biased;
            () = &mut shutdown => break,
            accepted = accept(&listener) => accepted,
            Some(_) = connections.join_next() => continue,
        };
        let service = TowerToHyperService::new(provider.clone());
        let connection = builder
            .serve_connection(TokioIo::new(stream), service)
            .into_owned();
        let connection = graceful.watch(connection);
        connections.spawn(async move {
            // A connection that breaks is the caller's loss, not ours.
            let _ = connection.await;
        });
    }
    drop(listener);
    graceful.shutdown().await;
    while connections.join_next().await.is_some() {}
}

async fn accept(listener: &TcpListener) -> TcpStream {
    loop {
        if let Ok((stream, _)) = listener.accept().await {
            // Events are small and wait for nothing.
            let _ = stream.set_nodelay(true);
            return stream;
        }
        time::sleep(ACCEPT_PAUSE).await;
    }
}
