//! The gateways that are compared, each a process of one thread.

use std::{cell::RefCell, collections::BTreeMap, net::SocketAddr, sync::Arc};

use aigw_backends::{
    client::{self, Client, Protocol},
    leaf::Leaf,
};
use aigw_core::{BoxError, call::CallLayer, meter::MeterLayer};
use aigw_examples::gateway::{Config, ledger::Ledger, limits::Limits, stack};
use bytes::Bytes;
use http::{Request, Response, Uri, uri};
use http_body::Body;
use hyper::{body::Incoming, client::conn as onward, service::service_fn};
use hyper_util::{rt::TokioIo, service::TowerToHyperService};
use tokio::{
    net::{TcpListener, TcpStream},
    runtime, task,
};
use tower::{Service, ServiceBuilder};

use crate::{
    Result,
    wire::{self, Http, Local, Wire},
};

/// A way from the caller to the provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A connection of hyper's to a connection of hyper's: nothing can be cheaper.
    Raw,
    /// Server and pooled client, no layer.
    Bare,
    /// The same server and client, with call and meter between them.
    Layers,
    /// The whole stack of the example gateway.
    Full,
    /// The same with keys and a token limit whose prompts are estimated.
    Limited,
    /// The same with prompts that are counted where that may change the verdict.
    Exact,
}

impl Kind {
    pub(crate) const ALL: [Self; 6] = [
        Self::Raw,
        Self::Bare,
        Self::Layers,
        Self::Full,
        Self::Limited,
        Self::Exact,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Raw => "raw",
            Self::Bare => "bare",
            Self::Layers => "layers",
            Self::Full => "full",
            Self::Limited => "limited",
            Self::Exact => "exact",
        }
    }
}

impl std::str::FromStr for Kind {
    type Err = String;

    fn from_str(name: &str) -> std::result::Result<Self, String> {
        let mut all = Self::ALL.into_iter();
        all.find(|kind| kind.name() == name)
            .ok_or_else(|| format!("no gateway `{name}`"))
    }
}

/// Serves until the process is ended; the first line of output is the address.
pub(crate) fn serve(kind: Kind, wire: Wire, upstream: SocketAddr) -> Result {
    let runtime = runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    task::LocalSet::new().block_on(&runtime, async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        println!("{}", listener.local_addr()?);
        let client = client::Config::default().protocol(match wire.provider {
            Http::One => Protocol::Http1,
            Http::Two => Protocol::Http2,
        });
        match kind {
            Kind::Raw => match wire.provider {
                Http::One => raw(listener, wire.callers, upstream).await,
                Http::Two => raw_shared(listener, wire.callers, upstream).await,
            },
            Kind::Bare => {
                let client = Client::try_new(client)?;
                let stack = ServiceBuilder::new()
                    .map_request(directed(upstream)?)
                    .service(client);
                layered(listener, wire.callers, stack).await
            }
            Kind::Layers => {
                let client = Client::try_new(client)?;
                let stack = ServiceBuilder::new()
                    .layer(CallLayer::new())
                    .layer(MeterLayer::new())
                    .map_request(directed(upstream)?)
                    .service(Leaf::new(client));
                layered(listener, wire.callers, stack).await
            }
            Kind::Full | Kind::Limited | Kind::Exact => {
                let protocol = match wire.provider {
                    Http::One => "http1",
                    Http::Two => "http2",
                };
                let config = Config::parse(&format!(
                    "[[backend]]\nid = \"u\"\nurl = \"http://{upstream}\"\ndialect = \"openai\"\n\
                     protocol = \"{protocol}\"\n\
                     timeouts = {{ headers = \"60s\", idle = \"60s\" }}\n\
                     [[route]]\nmodel = [\"gpt-*\"]\nbackends = [\"u\"]\n{}",
                    match kind {
                        Kind::Limited => LIMITS.to_owned(),
                        Kind::Exact => LIMITS.replace("fast", "exact"),
                        _ => String::new(),
                    },
                ))?;
                let ledger = Arc::new(Ledger::default());
                let (limits, _) = Limits::new(&config)?;
                let stack = stack::gateway(&config, &BTreeMap::new(), &limits, &ledger)?;
                layered(listener, wire.callers, stack).await
            }
        }
    })
}

/// Of one caller, whose key is what [`Caller`](crate::load::Caller) shows, far from its limit.
const LIMITS: &str = r#"
[[access.consumer]]
id = "caller"
keys = ["sk-0123456789abcdef"]

[token_limit]
estimate = "fast"
opaque = "pass"

[[token_limit.budget]]
name = "rate"
key = ["consumer", "model"]
tokens_per_minute = 1000000000000
"#;

/// Puts the provider's address into a request's URI.
fn directed<B>(upstream: SocketAddr) -> Result<impl Fn(Request<B>) -> Request<B> + Clone> {
    let authority: uri::Authority = upstream.to_string().parse()?;
    Ok(move |mut request: Request<B>| {
        let mut parts = uri::Parts::default();
        parts.scheme = Some(uri::Scheme::HTTP);
        parts.authority = Some(authority.clone());
        parts.path_and_query = request.uri().path_and_query().cloned();
        *request.uri_mut() = Uri::from_parts(parts).unwrap_or_default();
        request
    })
}

async fn layered<S, B>(listener: TcpListener, http: Http, service: S) -> Result
where
    S: Service<Request<Incoming>, Response = Response<B>> + Clone + 'static,
    S::Error: Into<BoxError>,
    B: Body<Data = Bytes, Error: Into<BoxError>> + 'static,
{
    loop {
        let stream = accept(&listener).await?;
        wire::attend(stream, http, TowerToHyperService::new(service.clone()));
    }
}

/// A connection to the provider for each caller's.
async fn raw(listener: TcpListener, http: Http, upstream: SocketAddr) -> Result {
    loop {
        let stream = accept(&listener).await?;
        let provider = connect(upstream).await?;
        let (sender, connection) = onward::http1::handshake(provider).await?;
        task::spawn_local(connection);
        let sender = RefCell::new(sender);
        let service = service_fn(move |request| sender.borrow_mut().send_request(request));
        wire::attend(stream, http, service);
    }
}

/// One connection to the provider for all callers.
async fn raw_shared(listener: TcpListener, http: Http, upstream: SocketAddr) -> Result {
    let provider = connect(upstream).await?;
    let (sender, connection) = onward::http2::handshake(Local, provider).await?;
    task::spawn_local(connection);
    let directed = directed(upstream)?;
    loop {
        let stream = accept(&listener).await?;
        let (sender, directed) = (RefCell::new(sender.clone()), directed.clone());
        let service = service_fn(move |request| {
            let request = directed(request);
            sender.borrow_mut().send_request(request)
        });
        wire::attend(stream, http, service);
    }
}

async fn connect(to: SocketAddr) -> Result<TokioIo<TcpStream>> {
    let stream = TcpStream::connect(to).await?;
    stream.set_nodelay(true)?;
    Ok(TokioIo::new(stream))
}

async fn accept(listener: &TcpListener) -> Result<TokioIo<TcpStream>> {
    let (stream, _) = listener.accept().await?;
    stream.set_nodelay(true)?;
    Ok(TokioIo::new(stream))
}
