//! The layers, put on each other.

use std::{collections::BTreeMap, convert::Infallible, net::SocketAddr, sync::Arc};

use aigw_backends::{
    client::{self, Client},
    credentials::CredentialsLayer,
    leaf::Leaf,
    routing::{ConfigError, Router, Table},
    timeout::TimeoutLayer,
    transform::{TransformLayer, Upstream},
};
use aigw_core::{
    BoxError,
    call::{CallBody, CallLayer},
    meter::{BoxMetered, MeterLayer, Metered, ReportLayer},
    reject,
    rt::Tokio,
};
use aigw_policies::{access::AuthenticateLayer, budget, concurrency_limit::ConcurrencyLimitLayer};
use bytes::Bytes;
use http::{Request, Response, Uri};
use http_body::Body;
use tower::{
    Layer, Service, ServiceBuilder, ServiceExt,
    util::{BoxCloneSyncService, Either, MapResponse},
};

use super::{
    Config, Error,
    config::{self, Server},
    ledger::Ledger,
    limits::{Limits, On, Stored},
};

/// A backend behind its layers, its type erased: one box for each call keeps the types, and the
/// time to build them, short.
pub type Backend<B> = BoxCloneSyncService<Request<CallBody<B>>, Response<BoxMetered>, Infallible>;

/// The addresses of the simulators, by id.
pub type Simulators = BTreeMap<String, SocketAddr>;

/// Everything between the server and the providers.
///
/// # Errors
///
/// Names the first setting that cannot take effect.
pub fn gateway<B>(
    config: &Config,
    simulators: &Simulators,
    limits: &Limits,
    ledger: &Arc<Ledger>,
) -> Result<
    impl Service<
        Request<B>,
        Response = Response<impl Body<Data = Bytes, Error = BoxError> + Send + use<B>>,
        Error = Infallible,
        Future: Send,
    > + Clone
    + Send
    + Sync
    + use<B>,
    Error,
>
where
    B: Body<Data = Bytes, Error: Into<BoxError> + Send> + Send + Unpin + 'static,
{
    let Server {
        max_body_bytes,
        body_timeout,
        ..
    } = config.server;
    let call = CallLayer::new()
        .max_body_bytes(max_body_bytes)
        .body_timeout(body_timeout, Tokio);
    let report = ReportLayer::new(Arc::clone(ledger));
    let calls = ServiceBuilder::new()
        .layer(call)
        .layer(report)
        .service(limited(limits, router(config, simulators)?));
    Ok(match authenticate(config)? {
        Some(authenticate) => Either::Left(authenticate.layer(calls)),
        None => Either::Right(MapResponse::new(calls, reject::passed)),
    })
}

/// The routes behind the limits that are set. Each layer that may be there or not is erased where
/// it is: one box a call.
fn limited<B>(limits: &Limits, routes: Router<String, Backend<B>>) -> Backend<B>
where
    B: Body<Data = Bytes, Error: Into<BoxError> + Send> + Send + Unpin + 'static,
{
    let Limits {
        concurrency,
        stored,
    } = limits;
    match stored {
        Stored::Memory(on) => limited_on(on, concurrency, routes),
        Stored::Redis(on) => limited_on(on, concurrency, routes),
    }
}

fn limited_on<St, B>(
    on: &On<St>,
    concurrency: &[ConcurrencyLimitLayer<Tokio>],
    routes: Router<String, Backend<B>>,
) -> Backend<B>
where
    St: budget::Store,
    B: Body<Data = Bytes, Error: Into<BoxError> + Send> + Send + Unpin + 'static,
{
    let mut calls = match &on.tokens {
        Some(tokens) => erased(tokens.layer(routes)),
        None => erased(routes),
    };
    if let Some(consumed) = &on.consumed {
        calls = erased(consumed.layer(calls));
    }
    for limit in concurrency.iter().rev() {
        calls = erased(limit.layer(calls));
    }
    for limit in on.requests.iter().rev() {
        calls = erased(limit.layer(calls));
    }
    calls
}

fn erased<S, B, ResBody>(service: S) -> Backend<B>
where
    S: Service<
            Request<CallBody<B>>,
            Response = Response<ResBody>,
            Error = Infallible,
            Future: Send + 'static,
        > + Clone
        + Send
        + Sync
        + 'static,
    B: Body + 'static,
    ResBody: Metered<Error = BoxError> + Send + 'static,
{
    BoxCloneSyncService::new(
        service.map_response(|response: Response<_>| response.map(BoxMetered::new)),
    )
}

/// Who may call, where not everybody may.
pub(super) fn authenticate(config: &Config) -> Result<Option<AuthenticateLayer>, Error> {
    let layer = config.access.clone().map(AuthenticateLayer::try_new);
    layer
        .transpose()
        .map_err(|error| Error::new(format!("access.{}", error.setting()), error))
}

/// The backends behind their routes.
pub(super) fn router<B>(
    config: &Config,
    simulators: &Simulators,
) -> Result<Router<String, Backend<B>>, Error>
where
    B: Body<Data = Bytes, Error: Into<BoxError> + Send> + Send + Unpin + 'static,
{
    let mut backends = Vec::new();
    for (index, backend) in config.backend.iter().enumerate() {
        let key = format!("backend[{index}]");
        if backends.iter().any(|(id, _)| *id == backend.id) {
            return Err(Error::new(
                format!("{key}.id"),
                format!("duplicate id `{}`", backend.id),
            ));
        }
        backends.push((backend.id.clone(), stack(backend, simulators, &key)?));
    }
    let names: Vec<_> = backends.iter().map(|(id, _)| id.clone()).collect();
    let routes = config.route.iter().enumerate();
    let routes = routes
        .map(|(index, route)| route.resolve(index, &names))
        .collect::<Result<Vec<_>, _>>();
    let table = routes.and_then(Table::try_new).map_err(at_route)?;
    Router::try_new(table, backends).map_err(at_route)
}

fn at_route(error: ConfigError) -> Error {
    let key = error.route().map(|route| format!("route[{route}]"));
    Error::new(key.as_deref().unwrap_or("route"), error)
}

/// One backend: timeouts over the meter over the provider.
fn stack<B>(
    backend: &config::Backend,
    simulators: &Simulators,
    key: &str,
) -> Result<Backend<B>, Error>
where
    B: Body<Data = Bytes, Error: Into<BoxError> + Send> + Send + Unpin + 'static,
{
    let timeouts = TimeoutLayer::try_new(backend.timeouts, Tokio)
        .map_err(Error::at(format!("{key}.timeouts")))?;
    let credentials = CredentialsLayer::try_new(backend.credentials.clone(), backend.dialect)
        .map_err(Error::at(format!("{key}.credentials")))?;
    let mut client = client::Config::default()
        .protocol(backend.protocol)
        .tls(backend.tls.clone());
    if let Some(connect) = backend.timeouts.connect_timeout() {
        client = client.connect_timeout(connect);
    }
    let client = Client::try_new(client).map_err(Error::at(key))?;
    Ok(erased(
        ServiceBuilder::new()
            .layer(timeouts)
            .layer(MeterLayer::new())
            .layer(TransformLayer::new(upstream(backend, simulators, key)?))
            .layer(credentials)
            .service(Leaf::new(client)),
    ))
}

fn upstream(
    backend: &config::Backend,
    simulators: &Simulators,
    key: &str,
) -> Result<Upstream, Error> {
    let base: Uri = match (&backend.url, &backend.simulator) {
        (Some(url), None) => url.parse().map_err(Error::at(format!("{key}.url")))?,
        (None, Some(id)) => {
            let key = format!("{key}.simulator");
            let address = simulators.get(id);
            let address =
                address.ok_or_else(|| Error::new(&key, format!("there is no simulator `{id}`")))?;
            format!("http://{address}")
                .parse()
                .map_err(Error::at(key))?
        }
        _ => {
            return Err(Error::new(
                key,
                "a backend has either a `url` or a `simulator`",
            ));
        }
    };
    let mut upstream = Upstream::try_new(base, backend.dialect)
        .map_err(Error::at(format!("{key}.url")))?
        .deployments(
            backend
                .deployments
                .iter()
                .map(|(model, name)| (&**model, &**name)),
        );
    if let Some(version) = &backend.api_version {
        upstream = upstream.api_version(&**version);
    }
    Ok(upstream)
}
