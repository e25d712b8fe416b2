//! A team's own hyper server, which sends its AI calls on to a provider and tells what each of them
//! used.
//!
//! ```sh
//! cargo run -p embed-hyper -- https://api.openai.com
//! ```
//!
//! Prints `listening on http://127.0.0.1:3000`, or another address that is given after the URL.
//! Then point any OpenAI client at `http://127.0.0.1:3000/v1`: the caller's own key goes along, and
//! each call prints a line as `gpt-4o used {"input": 9, …, "output": 5, …}`.

#[cfg(test)]
mod tests;

use std::{env, net::SocketAddr, process::ExitCode, time::Duration};

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
use tokio::{net::TcpListener, time};
use tower::ServiceBuilder;

#[tokio::main]
async fn main() -> ExitCode {
    let args: Vec<String> = env::args().skip(1).collect();
    let (upstream, listen) = match settings(&args) {
        Ok(settings) => settings,
        Err(error) => {
            eprintln!("{error}\nusage: embed-hyper PROVIDER_URL [LISTEN]");
            return ExitCode::from(2);
        }
    };
    if let Err(error) = run(upstream, listen).await {
        eprintln!("{error}");
    }
    ExitCode::FAILURE
}

/// The provider, and where to listen.
fn settings(args: &[String]) -> Result<(Upstream, SocketAddr), BoxError> {
    let (provider, listen) = match args {
        [provider] => (provider, "127.0.0.1:3000"),
        [provider, listen] => (provider, &**listen),
        _ => return Err("which provider?".into()),
    };
    let upstream = Upstream::try_new(provider.parse()?, Dialect::OpenAi)?;
    Ok((upstream, listen.parse()?))
}

async fn run(upstream: Upstream, listen: SocketAddr) -> Result<(), BoxError> {
    let listener = TcpListener::bind(listen).await?;
    println!("listening on http://{}", listener.local_addr()?);
    serve(listener, upstream, |ended: &Ended<'_>| {
        let model = ended.call.model().unwrap_or("no model");
        println!("{model} used {:?}", ended.meter.usage());
    })
    .await
}

/// Sends every call on to the provider, and reports it once it is over.
async fn serve(
    listener: TcpListener,
    upstream: Upstream,
    report: impl Report + Clone + Send + 'static,
) -> Result<(), BoxError> {
    let stack = ServiceBuilder::new()
        .layer(around(ReportLayer::new(report)))
        .layer(TransformLayer::new(upstream))
        .service(Leaf::new(Client::try_new(Config::default())?));
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            // Mostly because file descriptors have run out; some will come back.
            time::sleep(Duration::from_millis(20)).await;
            continue;
        };
        // Events are small and wait for nothing.
        let _ = stream.set_nodelay(true);
        let service = TowerToHyperService::new(stack.clone());
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    }
}
