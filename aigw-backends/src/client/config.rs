use std::{fmt, time::Duration};

use http::{HeaderValue, Uri};

/// How a [`Client`](super::Client) connects and keeps its connections.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Config {
    pub(super) protocol: Protocol,
    pub(super) tls: Tls,
    pub(super) proxy: Option<Proxy>,
    pub(super) connect_timeout: Option<Duration>,
    pub(super) pool_idle_timeout: Option<Duration>,
    pub(super) pool_max_idle: usize,
    pub(super) nodelay: bool,
    pub(super) keepalive: Option<Duration>,
}

/// The default of [`Config::connect_timeout`]: a handshake across the world takes a second, one
/// lost SYN or two are forgiven.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// The default of [`Config::pool_idle_timeout`]: below the four minutes after which common cloud
/// balancers forget a connection.
const POOL_IDLE_TIMEOUT: Duration = Duration::from_secs(90);

/// The default of [`Config::keepalive`].
const KEEPALIVE: Duration = Duration::from_secs(60);

impl Default for Config {
    fn default() -> Self {
        Self {
            protocol: Protocol::default(),
            tls: Tls::default(),
            proxy: None,
            connect_timeout: Some(CONNECT_TIMEOUT),
            pool_idle_timeout: Some(POOL_IDLE_TIMEOUT),
            pool_max_idle: usize::MAX,
            nodelay: true,
            keepalive: Some(KEEPALIVE),
        }
    }
}

impl Config {
    /// Which HTTP is spoken. [`Protocol::Auto`] by default.
    #[must_use]
    pub fn protocol(mut self, protocol: Protocol) -> Self {
        self.protocol = protocol;
        self
    }

    /// Whom to trust, and who we are. Mozilla's roots and no client certificate by default.
    #[must_use]
    pub fn tls(mut self, tls: Tls) -> Self {
        self.tls = tls;
        self
    }

    /// Goes through a proxy. None by default, and no environment variable is read.
    #[must_use]
    pub fn proxy(mut self, proxy: Proxy) -> Self {
        self.proxy = Some(proxy);
        self
    }

    /// How long a connection may take to come about: name, TCP, proxy and TLS together. 10 s by
    /// default; `None` waits as long as the operating system does. Zero is refused by
    /// [`Client::try_new`](super::Client::try_new).
    #[must_use]
    pub fn connect_timeout(mut self, timeout: impl Into<Option<Duration>>) -> Self {
        self.connect_timeout = timeout.into();
        self
    }

    /// How long an unused connection is kept. 90 s by default; `None` keeps it until the provider
    /// closes it.
    #[must_use]
    pub fn pool_idle_timeout(mut self, timeout: impl Into<Option<Duration>>) -> Self {
        self.pool_idle_timeout = timeout.into();
        self
    }

    /// How many unused connections are kept for each host. Unbounded by default; zero keeps none.
    #[must_use]
    pub fn pool_max_idle(mut self, connections: usize) -> Self {
        self.pool_max_idle = connections;
        self
    }

    /// Whether small writes leave at once (`TCP_NODELAY`). True by default.
    #[must_use]
    pub fn nodelay(mut self, nodelay: bool) -> Self {
        self.nodelay = nodelay;
        self
    }

    /// After how long a silent TCP connection is probed. 60 s by default; `None` never probes.
    #[must_use]
    pub fn keepalive(mut self, keepalive: impl Into<Option<Duration>>) -> Self {
        self.keepalive = keepalive.into();
        self
    }
}

/// Which HTTP a [`Client`](super::Client) speaks. Read from files as `auto`, `http1` or `http2`
/// (feature `serde`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "lowercase"))]
#[non_exhaustive]
pub enum Protocol {
    /// HTTP/2 where TLS agrees on it, else HTTP/1.1.
    #[default]
    Auto,
    /// HTTP/1.1 alone.
    Http1,
    /// HTTP/2 alone, without TLS from the first byte (prior knowledge).
    Http2,
}

/// Whom a [`Client`](super::Client) trusts, and who it is.
///
/// Read from files, the keys are `ca`, `client_cert` and `client_key` (feature `serde`); all of
/// them are PEM text, not paths. An error never repeats what stands there instead, since it may be
/// a private key.
#[derive(Clone, Default)]
#[non_exhaustive]
pub struct Tls {
    pub(super) ca: Option<String>,
    pub(super) client_cert: Option<String>,
    pub(super) client_key: Option<String>,
}

impl Tls {
    /// Trusts these authorities (PEM, one or more certificates) *instead of* Mozilla's.
    #[must_use]
    pub fn ca(mut self, pem: impl Into<String>) -> Self {
        self.ca = Some(pem.into());
        self
    }

    /// Shows this certificate (PEM, the chain from the leaf up) to providers that ask for one, with
    /// its private key (PEM).
    #[must_use]
    pub fn identity(mut self, cert: impl Into<String>, key: impl Into<String>) -> Self {
        self.client_cert = Some(cert.into());
        self.client_key = Some(key.into());
        self
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            ca,
            client_cert,
            client_key,
        } = self;
        f.debug_struct("Tls")
            .field("ca", &ca.is_some())
            .field("client_cert", &client_cert.is_some())
            .field("client_key", &client_key.as_ref().map(|_| "[redacted]"))
            .finish()
    }
}

/// An HTTP proxy between us and the providers.
///
/// `https` is tunnelled with CONNECT, so the proxy sees no more than the host; `http` is asked of
/// the proxy itself. The way to the proxy is plain HTTP.
#[derive(Clone)]
pub struct Proxy {
    pub(super) uri: Uri,
    pub(super) authorization: Option<HeaderValue>,
}

impl Proxy {
    /// The proxy at `http://host:port`.
    #[must_use]
    pub fn new(uri: Uri) -> Self {
        Self {
            uri,
            authorization: None,
        }
    }

    /// What the proxy is told in `proxy-authorization`, such as `Basic …`.
    #[must_use]
    pub fn authorization(mut self, mut value: HeaderValue) -> Self {
        value.set_sensitive(true);
        self.authorization = Some(value);
        self
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { uri, authorization } = self;
        // An authority may hold a password, which `try_new` refuses, but not before somebody has
        // printed it.
        f.debug_struct("Proxy")
            .field("host", &uri.host())
            .field("port", &uri.port_u16())
            .field("authorization", authorization)
            .finish()
    }
}

#[cfg(feature = "serde")]
mod written {
    use serde::{Deserialize, Deserializer};

    use super::Tls;
    use crate::unquoted;

    #[derive(Default, Deserialize)]
    #[serde(deny_unknown_fields, default)]
    struct Written {
        ca: Option<String>,
        client_cert: Option<String>,
        client_key: Option<String>,
    }

    impl<'de> Deserialize<'de> for Tls {
        fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
            let expected = "a table of `ca`, `client_cert` and `client_key`, each a string";
            let Written {
                ca,
                client_cert,
                client_key,
            } = unquoted::read(source, expected)?;
            Ok(Self {
                ca,
                client_cert,
                client_key,
            })
        }
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn a_mistyped_private_key_is_not_repeated_by_the_error() {
            for mistyped in ["tls = '31337'", "tls.client_key = 31337", "tls.31337 = ''"] {
                let document: toml::Table = toml::from_str(mistyped).unwrap();
                let error = document["tls"].clone().try_into::<Tls>().unwrap_err();
                let told = format!("{error} {error:?}");
                assert!(!told.contains("31337"), "{mistyped}: {told}");
                assert!(told.contains("expected a table of `ca`"), "{told}");
            }
            let right: Tls = toml::from_str("client_cert = 'c'\nclient_key = 'k'").unwrap();
            assert_eq!(right.client_key.as_deref(), Some("k"));
            assert!(right.ca.is_none());
        }
    }
}
