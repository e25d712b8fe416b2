//! The gateway on bare hyper: the layers of `gateway`, and its server written out.
//!
//! Without a file it runs against two simulated providers. It has no pages for operators.

use std::{
    io::{self, Write},
    path::PathBuf,
    process::ExitCode,
    time::Duration,
};

use aigw_backends::timeout::{ReaderTimeoutLayer, WriteTimeout};
use aigw_core::{BoxError, rt::Tokio};
use aigw_examples::{
    gateway::{Config, limits::Limits, run, stack},
    server::{StopSignals, came_from},
};
use clap::Parser;
use hyper::body::Incoming;
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{conn::auto, graceful::GracefulShutdown},
    service::TowerToHyperService,
};
use tokio::{net::TcpListener, task::JoinSet, time};
use tower::{Layer, ServiceExt};

/// A standalone AI gateway.
#[derive(Debug, Parser)]
struct Args {
    /// The gateway's file; without one, two simulated providers serve on 127.0.0.1:8080.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> ExitCode {
    let Err(error) = serve(Args::parse()).await else {
        return ExitCode::SUCCESS;
    };
    let _ = writeln!(io::stderr(), "{error}");
    ExitCode::FAILURE
}

async fn serve(args: Args) -> Result<(), BoxError> {
    let config = args.config.map_or_else(Config::demo, Config::read)?;
    config.check()?;
    let mut simulators = JoinSet::new();
    let addresses = run::start_simulators(&config.simulator, &mut simulators).await?;
    let (limits, driver) = Limits::new(&config)?;
    if let Some(driver) = driver {
        tokio::spawn(driver);
    }
    let stack = stack::gateway::<Incoming>(&config, &addresses, &limits, &Default::default())?;
    let patience = config.server.write_timeout;
    let stack = ReaderTimeoutLayer::new(patience, Tokio).layer(stack);
    let listener = TcpListener::bind(config.server.listen).await?;
    let at = listener.local_addr()?;
    let mut stop = StopSignals::listen();
    writeln!(io::stdout(), "listening on http://{at}")?;

    let mut http = auto::Builder::new(TokioExecutor::new());
    http.http1().timer(TokioTimer::new());
    let connections = GracefulShutdown::new();
    loop {
        let accepted = tokio::select! {
            () = stop.next() => break,
            accepted = listener.accept() => accepted,
        };
        let Ok((stream, peer)) = accepted else {
            // Mostly because file descriptors have run out; some will come back.
            time::sleep(Duration::from_millis(20)).await;
            continue;
        };
        let _ = stream.set_nodelay(true);
        // Else a reader that does not read would hold its call for ever.
        let stream = WriteTimeout::new(stream, patience, Tokio);
        let service = TowerToHyperService::new(stack.clone().map_request(came_from(peer)));
        let connection = http.serve_connection(TokioIo::new(Box::pin(stream)), service);
        tokio::spawn(connections.watch(connection.into_owned()));
    }
    drop(listener);
    let _ = time::timeout(config.server.drain, connections.shutdown()).await;
    limits.flush().await;
    Ok(())
}
