//! The gateway's file.

use std::{collections::BTreeMap, fs, net::SocketAddr, path::Path, time::Duration};

use aigw_backends::{
    client::{Protocol, Tls},
    credentials::Credentials,
    routing::{RouteConfig, RoutingConfig},
    timeout::Timeouts,
};
use aigw_core::{call::CallLayer, dialect::Dialect, duration};
use aigw_policies::{access, concurrency_limit, request_limit, token_limit};
use serde::{Deserialize, Deserializer, de::Error as _};

use super::{Error, store::Store, values::resolve};

/// What a gateway is made of. A key that is not known is an error, and so is a section.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Where and how the gateway listens.
    pub server: Server,
    /// Who may call. Absent: everybody, without a key.
    pub access: Option<access::Config>,
    /// Where the levels of limits are kept.
    pub store: Store,
    /// How many requests there may be in a time; the first limit is outermost, and all are outside
    /// the other limits.
    pub request_limit: Vec<request_limit::Config>,
    /// How many calls may be under way at once; the first limit is outermost.
    pub concurrency_limit: Vec<concurrency_limit::Config>,
    /// How many tokens callers may use. Absent: as many as they like.
    pub token_limit: Option<token_limit::Config>,
    /// Simulated providers in the same process.
    pub simulator: Vec<Simulator>,
    /// The providers that calls go to.
    pub backend: Vec<Backend>,
    /// What holds for all routes.
    pub routing: RoutingConfig,
    /// Which calls go where; the first match wins.
    pub route: Vec<RouteConfig>,
}

/// Where and how the gateway listens.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Server {
    /// The address for callers; port 0 picks one. Default: 127.0.0.1:8080.
    #[serde(deserialize_with = "address")]
    pub listen: SocketAddr,
    /// The address for operators, if they get one.
    #[serde(deserialize_with = "optional_address")]
    pub admin_listen: Option<SocketAddr>,
    /// The greatest JSON body. Default: 16 MiB.
    pub max_body_bytes: usize,
    /// How long a body may take to arrive. Default: 60 s.
    #[serde(deserialize_with = "duration::deserialize")]
    pub body_timeout: Duration,
    /// How long a reader may take nothing of its answer. Default: 60 s.
    #[serde(deserialize_with = "duration::deserialize")]
    pub write_timeout: Duration,
    /// How long answers may go on after a SIGTERM. Default: 30 s.
    #[serde(deserialize_with = "duration::deserialize")]
    pub drain: Duration,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            admin_listen: None,
            max_body_bytes: CallLayer::DEFAULT_MAX_BODY_BYTES,
            body_timeout: Duration::from_secs(60),
            write_timeout: Duration::from_secs(60),
            drain: Duration::from_secs(30),
        }
    }
}

/// A simulated provider in the same process.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Simulator {
    /// The name that backends and scripts call it by.
    pub id: String,
    /// Its address; port 0 picks one.
    #[serde(deserialize_with = "address")]
    pub listen: SocketAddr,
    /// Tokens a minute beyond which it answers 429.
    #[serde(default)]
    pub tokens_per_minute: Option<u64>,
    /// Time before the first token.
    #[serde(default, deserialize_with = "duration::deserialize_optional")]
    pub time_to_first_token: Option<Duration>,
    /// Time before each later token.
    #[serde(default, deserialize_with = "duration::deserialize_optional")]
    pub time_per_token: Option<Duration>,
}

/// A provider that calls go to.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Backend {
    /// The name that routes call it by.
    pub id: String,
    /// Where it is; or else `simulator`.
    #[serde(default)]
    pub url: Option<String>,
    /// The simulator that it is.
    #[serde(default)]
    pub simulator: Option<String>,
    /// In which words it is asked.
    pub dialect: Dialect,
    /// Model to deployment; a model that is absent is its own deployment.
    #[serde(default)]
    pub deployments: BTreeMap<String, String>,
    /// The `api-version` that Azure is asked with.
    #[serde(default)]
    pub api_version: Option<String>,
    /// What is known of it, such as its region.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// What it sees in place of the caller's key. Default: nothing.
    #[serde(default = "strip")]
    pub credentials: Credentials,
    /// How long each part of a call may take. Default: as long as it likes, but for 10 s to
    /// connect.
    #[serde(default)]
    pub timeouts: Timeouts,
    /// Which HTTP is spoken to it. Default: HTTP/2 where TLS agrees on it, else HTTP/1.1.
    #[serde(default)]
    pub protocol: Protocol,
    /// Whom it is trusted as, and who we are to it.
    #[serde(default)]
    pub tls: Tls,
}

impl Config {
    /// The gateway that runs without a file: two simulated providers behind one address.
    pub fn demo() -> Result<Self, Error> {
        Self::parse(include_str!("demo.toml"))
    }

    /// Reads a file.
    ///
    /// # Errors
    ///
    /// As [`parse`](Self::parse); and what cannot be read at all.
    pub fn read(file: impl AsRef<Path>) -> Result<Self, Error> {
        let text = fs::read_to_string(file).map_err(Error::at("cannot be read"))?;
        Self::parse(&text)
    }

    /// Reads the text of a file.
    ///
    /// # Errors
    ///
    /// Names the key that is unknown, missing, of another type, or whose `env:` or `file:` leads
    /// nowhere.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let mut document = toml::from_str(text).map_err(|error| not_toml(&error, text))?;
        resolve(&mut document)?;
        serde_path_to_error::deserialize(document).map_err(|error| {
            let path = error.path().to_string();
            Error::new(path, error.into_inner().message().to_owned())
        })
    }
}

/// Where a text is no TOML, without the line itself, which may hold a key.
fn not_toml(error: &toml::de::Error, text: &str) -> Error {
    let before = error.span().and_then(|span| text.get(..span.start));
    let line = before.map_or(0, |before| before.matches('\n').count()) + 1;
    Error::new("TOML", format!("line {line}: {}", error.message()))
}

fn address<'de, D: Deserializer<'de>>(source: D) -> Result<SocketAddr, D::Error> {
    let text = String::deserialize(source)?;
    text.parse().map_err(|_| {
        let fault = format!("`{text}` is no socket address, such as 127.0.0.1:8080");
        D::Error::custom(fault)
    })
}

fn optional_address<'de, D: Deserializer<'de>>(source: D) -> Result<Option<SocketAddr>, D::Error> {
    address(source).map(Some)
}

fn strip() -> Credentials {
    Credentials::Strip
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_does_not_repeat_a_key() {
        for line in ["api_key = 31337-hush", "api_key = '31337", "31337"] {
            let file = format!("[[backend]]\nid = 'b'\n[backend.credentials]\n{line}\n");
            let error = Config::parse(&file).unwrap_err();
            let told = format!("{error} {error:?}");
            assert!(told.starts_with("TOML: line 4: "), "{told}");
            assert!(!told.contains("31337"), "{told}");
        }
    }
}
