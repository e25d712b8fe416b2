//! What callers may use.

use std::{fmt::Display, time::Duration};

use aigw_core::rt::Tokio;
use aigw_policies::{
    budget::{MemoryStore, redis::Driver},
    concurrency_limit::{self, ConcurrencyLimitLayer},
    request_limit::{self, RequestLimitLayer},
    token_limit::{self, TokenLimitLayer, consumed::ConsumedLayer},
};
use serde_json::{Value, json};
use tokio::time::timeout;

use super::{
    Config, Error,
    store::{Opened, Redis},
};

/// The limits of a gateway.
#[derive(Clone, Debug)]
pub struct Limits {
    pub(super) concurrency: Vec<ConcurrencyLimitLayer<Tokio>>,
    pub(super) stored: Stored,
}

/// The limits whose levels are stored.
#[derive(Clone, Debug)]
pub(super) enum Stored {
    Memory(On<MemoryStore>),
    Redis(On<Redis>),
}

/// The limits on one store.
#[derive(Clone, Debug)]
pub(super) struct On<St> {
    store: St,
    pub(super) requests: Vec<RequestLimitLayer<St>>,
    pub(super) tokens: Option<TokenLimitLayer<St>>,
    pub(super) consumed: Option<ConsumedLayer>,
}

/// How long a gateway that goes down waits until its store knows what was used.
const FAREWELL: Duration = Duration::from_secs(2);

impl Limits {
    /// The limits that a file sets, and what must run beside them.
    ///
    /// # Errors
    ///
    /// Names the first setting that cannot take effect.
    pub fn new(config: &Config) -> Result<(Self, Option<Driver>), Error> {
        let (concurrency, stored, driver) = match config.store.open()? {
            Opened::Memory(store) => {
                let requests = requests(config, RequestLimitLayer::try_new)?;
                let concurrency =
                    concurrency(config, |limit| ConcurrencyLimitLayer::try_new(limit, Tokio))?;
                let on = On::new(config, store, requests)?;
                (concurrency, Stored::Memory(on), None)
            }
            Opened::Redis(store, driver) => {
                let requests = requests(config, |limit| {
                    RequestLimitLayer::with_store(limit, store.clone())
                })?;
                let concurrency = concurrency(config, |limit| {
                    ConcurrencyLimitLayer::with_store(limit, Tokio, store.clone())
                })?;
                let on = On::new(config, store, requests)?;
                (concurrency, Stored::Redis(on), Some(driver))
            }
        };
        let limits = Self {
            concurrency,
            stored,
        };
        Ok((limits, driver))
    }

    /// Waits until the store knows what was used, though not for long.
    pub async fn flush(&self) {
        if let Stored::Redis(on) = &self.stored {
            // Whether it answered in time or not, there is nothing more to be done.
            let _ = timeout(FAREWELL, on.store.flush()).await;
        }
    }

    /// The budgets, what has become of their store, and how many calls are under way and wait.
    pub fn to_json(&self) -> Value {
        let concurrency = self.concurrency.iter().map(|limit| {
            let (handle, levels) = (limit.handle(), limit.handle().levels());
            json!({
                "name": handle.name(),
                "calls": handle.calls(),
                "in_flight": levels.in_flight,
                "queued": levels.queued,
            })
        });
        let (store, requests, budgets) = match &self.stored {
            Stored::Memory(on) => (
                json!({ "kind": "memory", "keys": on.store.keys() }),
                on.requests(),
                on.budgets(),
            ),
            Stored::Redis(on) => (redis(&on.store), on.requests(), on.budgets()),
        };
        json!({
            "concurrency_limit": concurrency.collect::<Vec<_>>(),
            "request_limit": requests,
            "store": store,
            "token_limit": budgets,
        })
    }
}

impl<St: aigw_policies::budget::Store> On<St> {
    fn new(
        config: &Config,
        store: St,
        requests: Vec<RequestLimitLayer<St>>,
    ) -> Result<Self, Error> {
        let (mut tokens, mut consumed) = (None, None);
        if let Some(limit) = &config.token_limit {
            let at = |error| at(limit, error);
            tokens = Some(limit.layer(store.clone()).map_err(at)?.offload(Tokio));
            consumed = limit.consumed().map_err(at)?;
        }
        Ok(Self {
            store,
            requests,
            tokens,
            consumed,
        })
    }

    fn requests(&self) -> Vec<Value> {
        let limits = self.requests.iter();
        limits
            .map(|limit| named(limit.handle().name(), limit.handle().limit()))
            .collect()
    }

    fn budgets(&self) -> Vec<Value> {
        let Some(tokens) = &self.tokens else {
            return Vec::new();
        };
        let budgets = tokens.handle().budgets();
        let budgets = budgets.iter();
        budgets.map(|budget| named(budget.name(), budget)).collect()
    }
}

fn named(name: &str, limit: impl Display) -> Value {
    json!({ "name": name, "limit": limit.to_string() })
}

/// The limits of requests, in their order. Each has a name of its own, for it is kept by that.
fn requests<St: aigw_policies::budget::Store>(
    config: &Config,
    layer: impl Fn(request_limit::Config) -> Result<RequestLimitLayer<St>, request_limit::ConfigError>,
) -> Result<Vec<RequestLimitLayer<St>>, Error> {
    let mut layers = Vec::<RequestLimitLayer<St>>::new();
    for (index, limit) in config.request_limit.iter().enumerate() {
        let key = format!("request_limit[{index}]");
        let layer = layer(limit.clone()).map_err(Error::at(&key))?;
        let handle = layer.handle();
        if layers
            .iter()
            .any(|before| before.handle().name() == handle.name())
        {
            return Err(twice(key, handle.name()));
        }
        layers.push(layer);
    }
    Ok(layers)
}

/// Names the key of an error.
fn at(limit: &token_limit::Config, error: token_limit::ConfigError) -> Error {
    use token_limit::ConfigError::{Budget, Header, NotAHeader, Price, Status, StatusWithoutQuota};
    let key = match &error {
        Budget(name, _) => {
            let mut budgets = limit.budget.iter();
            let index = budgets.position(|budget| budget.name == **name);
            index.map(|index| format!("budget[{index}]"))
        }
        Price(model, _) if **model == *"otherwise" => Some("prices.otherwise".into()),
        Price(..) => Some("prices.model".into()),
        Header(_) | NotAHeader(_) => Some("headers".into()),
        Status(_) | StatusWithoutQuota => Some("quota_status".into()),
        _ => None,
    };
    let key = key.map_or_else(|| "token_limit".into(), |key| format!("token_limit.{key}"));
    Error::new(key, error)
}

fn twice(key: String, name: &str) -> Error {
    Error::new(
        key,
        format!("another limit has the name `{name}` too: give it a `name`"),
    )
}

/// The limits of calls at once, in their order.
fn concurrency(
    config: &Config,
    layer: impl Fn(
        concurrency_limit::Config,
    ) -> Result<ConcurrencyLimitLayer<Tokio>, concurrency_limit::ConfigError>,
) -> Result<Vec<ConcurrencyLimitLayer<Tokio>>, Error> {
    let mut layers = Vec::<ConcurrencyLimitLayer<Tokio>>::new();
    for (index, limit) in config.concurrency_limit.iter().enumerate() {
        let key = format!("concurrency_limit[{index}]");
        let layer = layer(limit.clone()).map_err(Error::at(&key))?;
        let handle = layer.handle();
        let mut before = layers.iter().map(ConcurrencyLimitLayer::handle);
        if let Some(name) = handle.name()
            && before.any(|before| before.name() == Some(name))
        {
            return Err(twice(key, name));
        }
        layers.push(layer);
    }
    Ok(layers)
}

fn redis(store: &Redis) -> Value {
    let stats = store.stats();
    json!({
        "kind": "redis",
        "is_lost": stats.is_lost,
        "processes": stats.processes,
        "leases": stats.leases,
        "decided": stats.decided,
        "undecided": stats.undecided,
        "in_doubt": stats.in_doubt,
        "waiting": stats.waiting,
        "dropped": stats.dropped,
        "forgotten": stats.forgotten,
    })
}
