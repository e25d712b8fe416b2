use std::{collections::BTreeMap, net::IpAddr};

/// Who calls: a fact of the call's [`Record`](crate::call::Record), stated by the layer that
/// checked the key or the token.
///
/// # Examples
///
/// ```
/// use aigw_core::{call::Record, key::Consumer};
///
/// let record = Record::default();
/// record.state(Consumer::new("team-a").label("tier", "gold"));
/// let consumer = record.latest::<Consumer>().unwrap();
/// assert_eq!(&*consumer.id, "team-a");
/// assert_eq!(&*consumer.labels["tier"], "gold");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Consumer {
    /// The name that limits, metrics and logs use. Never the key itself.
    pub id: Box<str>,
    /// What else is known, such as a tier or a department.
    pub labels: BTreeMap<Box<str>, Box<str>>,
}

impl Consumer {
    /// A consumer without labels.
    #[must_use]
    pub fn new(id: impl Into<Box<str>>) -> Self {
        Self {
            id: id.into(),
            labels: BTreeMap::new(),
        }
    }

    /// Adds a label, replacing one of the same name.
    #[must_use]
    pub fn label(mut self, name: impl Into<Box<str>>, value: impl Into<Box<str>>) -> Self {
        self.labels.insert(name.into(), value.into());
        self
    }
}

/// Where the call comes from: a fact of the call's [`Record`](crate::call::Record), stated by your
/// server, which alone knows the connection and which proxies in front of it to believe. No layer
/// here states it: without it, all callers are one to whatever is by `ip`.
///
/// # Examples
///
/// A server states the peer of each connection before any layer sees a request of it:
///
/// ```
/// use std::net::SocketAddr;
///
/// use aigw_core::{call::Record, key::ClientAddr};
/// use http::Request;
/// use tower::ServiceExt;
/// # let service = tower::service_fn(async |request: Request<()>| {
/// #     let addr = *Record::of(&mut request.extensions().clone()).latest::<ClientAddr>().unwrap();
/// #     Ok::<_, std::convert::Infallible>(addr.0.to_string())
/// # });
/// # let peer: SocketAddr = "192.0.2.7:40000".parse()?;
///
/// // For each connection that `listener.accept()` brings with its `peer`:
/// let service = service.map_request(move |mut request: Request<_>| {
///     Record::of(request.extensions_mut()).state(ClientAddr(peer.ip()));
///     request
/// });
/// # let rt = tokio::runtime::Builder::new_current_thread().build()?;
/// # assert_eq!(rt.block_on(service.oneshot(Request::new(())))?, "192.0.2.7");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Under axum, serve by `into_make_service_with_connect_info::<SocketAddr>()`, and state what
/// `ConnectInfo<SocketAddr>` in the request's extensions holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ClientAddr(pub IpAddr);
