//! Where what is left of limits is kept.

use std::{
    fmt, io,
    sync::{Arc, OnceLock},
    time::Duration,
};

use aigw_core::{duration, observe::Event, rt::Tokio};
use aigw_policies::budget::{
    MemoryStore,
    redis::{self as shared, Driver, OnError, RedisStore},
};
use redis::{
    Client, Cmd, ConnectionInfo, IntoConnectionInfo, Pipeline, RedisFuture, RedisResult, Value,
    aio::{ConnectionLike, ConnectionManager, ConnectionManagerConfig},
    io::tcp::TcpSettings,
};
use serde::Deserialize;

use super::Error;

/// The section `[store]`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Store {
    /// In what. Default: in the memory of this process.
    #[serde(default)]
    pub kind: StoreKind,
    /// Of a Redis: `redis://user:password@host:port/database`, or `rediss://` for TLS.
    #[serde(default)]
    pub url: Option<Url>,
    /// Of a Redis: what becomes of calls while it does not answer.
    #[serde(default)]
    pub on_error: Option<OnError>,
    /// Of a Redis: gateways that share it share their limits. Default: `aigw`.
    #[serde(default)]
    pub namespace: Option<String>,
    /// Of a Redis: how long it may take to decide. Default: 100 ms.
    #[serde(default, deserialize_with = "duration::deserialize_optional")]
    pub deadline: Option<Duration>,
}

/// In what the levels of limits are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum StoreKind {
    /// This process's memory: each gateway limits for itself.
    #[default]
    Memory,
    /// A Redis, or what speaks its protocol: all gateways limit together.
    Redis,
}

/// Where a Redis is. Never printed: it may hold a password.
#[derive(Clone, Deserialize)]
#[serde(transparent)]
pub struct Url(String);

impl fmt::Debug for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// A store in Redis.
pub type Redis = RedisStore<Tokio>;

/// A store that is ready for use.
pub(super) enum Opened {
    Memory(MemoryStore),
    /// Its driver must run.
    Redis(Redis, Driver),
}

impl Store {
    /// Opens the store. A Redis is not connected to before it is asked.
    pub(super) fn open(&self) -> Result<Opened, Error> {
        match self.kind {
            StoreKind::Memory => {
                let set = [
                    ("url", self.url.is_some()),
                    ("on_error", self.on_error.is_some()),
                    ("namespace", self.namespace.is_some()),
                    ("deadline", self.deadline.is_some()),
                ];
                match set.iter().find(|(_, is_set)| *is_set) {
                    Some((key, _)) => Err(at(key, "needs `kind = \"redis\"`")),
                    None => Ok(Opened::Memory(MemoryStore::new())),
                }
            }
            StoreKind::Redis => {
                let Some(Url(url)) = &self.url else {
                    return Err(at("url", "is missing: where is the Redis?"));
                };
                let Some(on_error) = self.on_error else {
                    let missing =
                        "is missing: `allow`, `deny` or `local` while Redis does not answer";
                    return Err(at("on_error", missing));
                };
                let lazy = Lazy::new(url).map_err(|error| {
                    let example = "redis://user:password@host:6379/0, or rediss:// for TLS";
                    Error::new("store.url", format!("{error}; expected {example}"))
                })?;
                let namespace = self.namespace.as_deref().unwrap_or("aigw");
                let mut config = shared::Config::try_new(namespace, on_error)
                    .map_err(Error::at("store.namespace"))?;
                if let Some(deadline) = self.deadline {
                    config = config.deadline(deadline);
                }
                let (store, driver) = RedisStore::with_observe(lazy, Tokio, config, tell);
                Ok(Opened::Redis(store, driver))
            }
        }
    }
}

fn at(key: &str, reason: &'static str) -> Error {
    Error::new(format!("store.{key}"), reason)
}

/// Says on standard error when Redis is lost and found: once for each change.
fn tell(event: &Event<'_>) {
    let line = match event {
        Event::StoreLost { .. } => "Redis does not answer: `store.on_error` decides",
        Event::StoreFound { .. } => "Redis answers again",
        Event::StoreForgot { .. } => "Redis has lost its data: limits are there again",
        _ => return,
    };
    let _ = io::Write::write_all(&mut io::stderr(), format!("{line}\n").as_bytes());
}

/// A connection that is made when it is first used, and again when it breaks.
#[derive(Clone)]
pub struct Lazy(Arc<(Client, OnceLock<ConnectionManager>)>);

/// How long a connection may take, and how long what was sent may stay without a sign that it has
/// arrived: a host that is gone says nothing.
const PATIENCE: Duration = Duration::from_secs(2);

impl Lazy {
    fn new(url: &str) -> RedisResult<Self> {
        let info: ConnectionInfo = url.into_connection_info()?;
        let tcp = TcpSettings::default().set_nodelay(true);
        #[cfg(target_os = "linux")]
        let tcp = tcp.set_user_timeout(PATIENCE);
        let client = Client::open(info.set_tcp_settings(tcp))?;
        Ok(Self(Arc::new((client, OnceLock::new()))))
    }

    fn manager(&self) -> RedisResult<ConnectionManager> {
        let (client, manager) = &*self.0;
        if let Some(manager) = manager.get() {
            return Ok(manager.clone());
        }
        // How long answers may take, and when Redis is asked again, is the driver's to say.
        let config = ConnectionManagerConfig::new()
            .set_number_of_retries(0)
            .set_connection_timeout(Some(PATIENCE))
            .set_response_timeout(None);
        let new = ConnectionManager::new_lazy_with_config(client.clone(), config)?;
        Ok(manager.get_or_init(|| new).clone())
    }
}

impl ConnectionLike for Lazy {
    fn req_packed_command<'a>(&'a mut self, cmd: &'a Cmd) -> RedisFuture<'a, Value> {
        Box::pin(async move { self.manager()?.req_packed_command(cmd).await })
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        pipeline: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        Box::pin(async move {
            let mut manager = self.manager()?;
            manager.req_packed_commands(pipeline, offset, count).await
        })
    }

    fn get_db(&self) -> i64 {
        self.0.0.get_connection_info().redis_settings().db()
    }
}

impl fmt::Debug for Lazy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lazy").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        let store: Store = toml::from_str(text).unwrap();
        let Err(error) = store.open() else {
            panic!("{text} opens");
        };
        error.to_string()
    }

    #[test]
    fn what_is_missing_or_does_not_belong_is_named() {
        for (text, says) in [
            ("kind = 'redis'", "store.url: is missing"),
            ("url = 'redis://h'", "store.url: needs `kind"),
            ("deadline = '1s'", "store.deadline: needs `kind"),
            (
                "kind = 'redis'\nurl = 'redis://h'",
                "store.on_error: is missing",
            ),
            (
                "kind = 'redis'\nurl = 'http://h'\non_error = 'deny'",
                "store.url: ",
            ),
            (
                "kind = 'redis'\nurl = 'redis://h'\non_error = 'deny'\nnamespace = '{'",
                "store.namespace: `{`",
            ),
        ] {
            let error = error(text);
            assert!(error.starts_with(says), "{text}: {error}");
        }
    }

    #[test]
    fn a_password_is_not_printed() {
        let text = "kind = 'redis'\non_error = 'deny'\nurl = 'redis://u:hush@h:port'";
        let store: Store = toml::from_str(text).unwrap();
        let told = format!("{store:?} {}", error(text));
        assert!(!told.contains("hush"), "{told}");
    }

    #[test]
    fn a_redis_need_not_be_there_to_check_a_file() {
        let text = "kind = 'redis'\non_error = 'deny'\nurl = 'rediss://nowhere.invalid'";
        let store: Store = toml::from_str(text).unwrap();
        assert!(matches!(store.open(), Ok(Opened::Redis(..))));
    }
}
