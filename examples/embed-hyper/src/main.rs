//! A team's own hyper server, which sends its AI calls on to a provider and tells what each of them
//! used.
//!
//! `cargo run -p embed-hyper -- https://api.openai.com`, then point any OpenAI client at
//! `http://127.0.0.1:3000/v1`. The caller's own key goes along.

#[cfg(test)]
mod tests;

use aigw_backends::{
    aigw_core::{
        BoxError, around,
        dialect::Dialect,
        meter::{Ended, Report, ReportLayer},
    },
    client::{Client, Config},
    leaf::Leaf,
    transform::{TransformLayer, Upstream},
};
use hyper::server::conn::http1;
use hyper_util::{rt::TokioIo, service::TowerToHyperService};
use tokio::net::TcpListener;
use tower::ServiceBuilder;

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let provider = std::env::args().nth(1).ok_or("which provider?")?;
    let listener = TcpListener::bind("127.0.0.1:3000").await?;
    serve(listener, &provider, |ended: &Ended<'_>| {
        println!("{:?} used {:?}", ended.call.model(), ended.meter.usage());
    })
    .await
}

/// Sends every call on to the provider at a URL, and reports it once it is over.
async fn serve(
    listener: TcpListener,
    provider: &str,
    report: impl Report + Clone + Send + 'static,
) -> Result<(), BoxError> {
    let upstream = Upstream::try_new(provider.parse()?, Dialect::OpenAi)?;
    let stack = ServiceBuilder::new()
        .layer(around(ReportLayer::new(report)))
        .layer(TransformLayer::new(upstream))
        .service(Leaf::new(Client::try_new(Config::default())?));
    loop {
        let (stream, _) = listener.accept().await?;
        let service = TowerToHyperService::new(stack.clone());
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    }
}
