//! What callers may use.

use std::time::Duration;

use aigw_core::rt::Tokio;
use aigw_policies::{
    budget::{MemoryStore, redis::Driver},
    concurrency_limit::ConcurrencyLimitLayer,
    token_limit::TokenLimitLayer,
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
    pub(super) tokens: Option<TokenLimitLayer<St>>,
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
        let (stored, driver) = match config.store.open()? {
            Opened::Memory(store) => (Stored::Memory(On::new(config, store)?), None),
            Opened::Redis(store, driver) => (Stored::Redis(On::new(config, store)?), Some(driver)),
        };
        let concurrency = config.concurrency_limit.iter().enumerate();
        let concurrency = concurrency.map(|(index, limit)| {
            ConcurrencyLimitLayer::try_new(limit.clone(), Tokio)
                .map_err(Error::at(format!("concurrency_limit[{index}]")))
        });
        let concurrency = concurrency.collect::<Result<_, _>>()?;
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
            let levels = limit.handle().levels();
            json!({ "inside": levels.inside, "waiting": levels.waiting })
        });
        let (store, budgets) = match &self.stored {
            Stored::Memory(on) => (
                json!({ "kind": "memory", "keys": on.store.keys() }),
                on.budgets(),
            ),
            Stored::Redis(on) => (redis(&on.store), on.budgets()),
        };
        json!({
            "concurrency": concurrency.collect::<Vec<_>>(),
            "store": store,
            "token_budgets": budgets,
        })
    }
}

impl<St: aigw_policies::budget::Store> On<St> {
    fn new(config: &Config, store: St) -> Result<Self, Error> {
        let tokens = config.token_limit.as_ref();
        let tokens = tokens.map(|tokens| tokens.layer(store.clone()));
        let tokens = tokens.transpose().map_err(Error::at("token_limit"))?;
        let tokens = tokens.map(|tokens| tokens.with_offload(Tokio));
        Ok(Self { store, tokens })
    }

    fn budgets(&self) -> Vec<Value> {
        let budgets = self.tokens.iter().flat_map(TokenLimitLayer::budgets);
        budgets
            .map(|budget| json!({ "name": budget.name(), "limit": budget.limit().to_string() }))
            .collect()
    }
}

fn redis(store: &Redis) -> Value {
    let stats = store.stats();
    json!({
        "kind": "redis",
        "is_lost": stats.is_lost,
        "processes": stats.processes,
        "decided": stats.decided,
        "undecided": stats.undecided,
        "in_doubt": stats.in_doubt,
        "waiting": stats.waiting,
        "lost": stats.lost,
        "forgotten": stats.forgotten,
    })
}
