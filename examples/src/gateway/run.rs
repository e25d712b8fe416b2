//! Listens, serves and goes down in order.

use std::{
    io::{self, Write},
    net::SocketAddr,
    pin::pin,
    sync::Arc,
};

use aigw_core::{
    BoxError,
    rt::Tokio,
    testing::{Provider, provider},
};
use aigw_policies::budget::redis::Driver;
use axum::Router;
use bytes::Bytes;
use http::Response;
use http_body::Body;
use tokio::{net::TcpListener, task::JoinSet};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use super::{
    Config, Error, admin,
    config::Simulator,
    ledger::Ledger,
    limits::Limits,
    stack::{self, Simulators},
};
use crate::{
    server::{Server, StopSignals},
    simulator,
};

/// A gateway that listens, and serves once it is run.
#[derive(Debug)]
pub struct Gateway {
    listener: TcpListener,
    admin: Option<TcpListener>,
    router: Router,
    pages: Router,
    config: Arc<Config>,
    draining: CancellationToken,
    limits: Limits,
    driver: Option<Driver>,
    simulators: JoinSet<()>,
}

impl Gateway {
    /// Binds all addresses of a configuration and starts its simulators, which end with the
    /// gateway.
    ///
    /// # Errors
    ///
    /// Names the first setting that cannot take effect, an address that is taken included.
    pub async fn bind(config: Config) -> Result<Self, Error> {
        config.check()?;
        let mut simulators = JoinSet::new();
        let addresses = start_simulators(&config.simulator, &mut simulators).await?;
        let ledger = Arc::<Ledger>::default();
        let (limits, driver) = Limits::new(&config)?;
        let service = stack::gateway::<axum::body::Body>(&config, &addresses, &limits, &ledger)?;
        let config = Arc::new(config);
        let draining = CancellationToken::new();
        let pages = admin::router(admin::Admin {
            config: Arc::clone(&config),
            limits: limits.clone(),
            ledger,
            draining: draining.clone(),
        });
        let admin = match config.server.admin_listen {
            Some(address) => Some(bind(address, "server.admin_listen").await?),
            None => None,
        };
        Ok(Self {
            listener: bind(config.server.listen, "server.listen").await?,
            admin,
            router: Router::new().fallback_service(service.map_response(boxed)),
            pages,
            config,
            draining,
            limits,
            driver,
            simulators,
        })
    }

    /// Where callers reach it.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Where operators reach it, if they do.
    pub fn admin_address(&self) -> io::Result<Option<SocketAddr>> {
        self.admin.as_ref().map(TcpListener::local_addr).transpose()
    }

    /// Serves until `shutdown` completes; then lets the answers under way go on for `server.drain`.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future closes everything at once.
    pub async fn serve(mut self, shutdown: impl Future<Output = ()>) {
        let settings = self.config.server.clone();
        let server = Server::default()
            .write_timeout(settings.write_timeout)
            .drain(settings.drain);
        let mut pages = JoinSet::new();
        if let Some(listener) = self.admin.take() {
            // Operators see the gateway until it is gone.
            pages.spawn(server.serve(listener, self.pages, std::future::pending()));
        }
        let mut driving = JoinSet::new();
        if let Some(driver) = self.driver.take() {
            driving.spawn(driver);
        }
        let draining = self.draining.clone();
        let shutdown = async move {
            shutdown.await;
            draining.cancel();
        };
        server.serve(self.listener, self.router, shutdown).await;
        self.limits.flush().await;
        // Not before: calls under way may still be answered by them.
        drop(self.simulators);
    }
}

/// Runs a gateway as a process does: says on standard output where it listens, and goes down on
/// SIGTERM or Ctrl-C, at once on the second.
///
/// # Errors
///
/// As [`Gateway::bind`].
pub async fn run(config: Config, greet: impl FnOnce(SocketAddr) -> String) -> Result<(), Error> {
    let gateway = Gateway::bind(config).await?;
    let address = gateway.address().map_err(Error::at("server.listen"))?;
    let mut greeting = format!("listening on http://{address}\n");
    if let Some(admin) = gateway
        .admin_address()
        .map_err(Error::at("server.admin_listen"))?
    {
        greeting.push_str(&format!("admin on http://{admin}\n"));
    }
    greeting.push_str(&greet(address));
    let drain = gateway.config.server.drain;
    let mut stop = StopSignals::listen();
    // Whoever started us may have closed our output; that is no reason not to serve.
    let _ = io::stdout().write_all(greeting.as_bytes());
    let shutdown = CancellationToken::new();
    let mut serving = pin!(gateway.serve(shutdown.clone().cancelled_owned()));
    tokio::select! {
        () = &mut serving => return Ok(()),
        () = stop.next() => shutdown.cancel(),
    }
    let _ = writeln!(
        io::stderr(),
        "going down: answers under way have {drain:?}; a second signal ends them at once"
    );
    tokio::select! {
        () = serving => {}
        () = stop.next() => {
            let _ = writeln!(io::stderr(), "gone down before all answers had ended");
        }
    }
    Ok(())
}

/// Binds the simulators of a configuration and starts them; they end when `running` is dropped.
///
/// # Errors
///
/// Names the first address that is taken.
pub async fn start_simulators(
    simulators: &[Simulator],
    running: &mut JoinSet<()>,
) -> Result<Simulators, Error> {
    let mut addresses = Simulators::new();
    for (index, simulator) in simulators.iter().enumerate() {
        let listener = bind(simulator.listen, &format!("simulator[{index}].listen")).await?;
        let address = listener.local_addr().map_err(Error::at("simulator"))?;
        addresses.insert(simulator.id.clone(), address);
        let provider = Provider::with_config(provider_config(simulator), Tokio);
        running.spawn(simulator::serve(listener, provider, std::future::pending()));
    }
    Ok(addresses)
}

fn provider_config(simulator: &Simulator) -> provider::Config {
    // Nobody looks at the calls here.
    let mut config = provider::Config::default().id(&*simulator.id).kept_calls(0);
    if let Some(tokens) = simulator.tokens_per_minute {
        config = config.tokens_per_minute(tokens);
    }
    if let Some(time) = simulator.time_to_first_token {
        config = config.time_to_first_token(time);
    }
    if let Some(time) = simulator.time_per_token {
        config = config.time_per_token(time);
    }
    config
}

async fn bind(address: SocketAddr, key: &str) -> Result<TcpListener, Error> {
    TcpListener::bind(address)
        .await
        .map_err(|error| Error::new(key, format!("{address}: {error}")))
}

fn boxed<B>(answer: Response<B>) -> Response<axum::body::Body>
where
    B: Body<Data = Bytes, Error = BoxError> + Send + 'static,
{
    answer.map(axum::body::Body::new)
}
