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

use aigw_core::{rt::Tokio, testing::Provider};
use tokio::net::TcpListener;

use crate::server::Server;

/// Accepts connections until `shutdown` completes; then waits for the answers that are under way.
///
/// # Cancel safety
///
/// Dropping the future closes the listener and all connections at once.
pub async fn serve<F>(listener: TcpListener, provider: Provider<Tokio>, shutdown: F)
where
    F: Future<Output = ()>,
{
    Server::default().serve(listener, provider, shutdown).await;
}
