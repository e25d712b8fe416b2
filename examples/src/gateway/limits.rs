//! What callers may use, and where that is kept.

use aigw_core::rt::Tokio;
use aigw_policies::{
    budget::MemoryStore, concurrency_limit::ConcurrencyLimitLayer, token_limit::TokenLimitLayer,
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Config, Error};

/// Where the levels of limits are kept.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Store {
    /// In what. Default: in the memory of this process.
    #[serde(default)]
    pub kind: StoreKind,
}

/// In what the levels of limits are kept.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum StoreKind {
    /// This process's memory: each gateway limits for itself.
    #[default]
    Memory,
}

/// The limits of a gateway.
#[derive(Clone, Debug)]
pub struct Limits {
    store: MemoryStore,
    pub(super) concurrency: Vec<ConcurrencyLimitLayer<Tokio>>,
    pub(super) tokens: Option<TokenLimitLayer<MemoryStore>>,
}

impl Limits {
    /// The limits that a file sets.
    ///
    /// # Errors
    ///
    /// Names the first setting that cannot take effect.
    pub fn new(config: &Config) -> Result<Self, Error> {
        let store = match config.store.kind {
            StoreKind::Memory => MemoryStore::new(),
        };
        let tokens = config.token_limit.as_ref();
        let tokens = tokens.map(|tokens| tokens.layer(store.clone()));
        let tokens = tokens.transpose().map_err(Error::at("token_limit"))?;
        let tokens = tokens.map(|tokens| tokens.with_offload(Tokio));
        let concurrency = config.concurrency_limit.iter().enumerate();
        let concurrency = concurrency.map(|(index, limit)| {
            ConcurrencyLimitLayer::try_new(limit.clone(), Tokio)
                .map_err(Error::at(format!("concurrency_limit[{index}]")))
        });
        Ok(Self {
            concurrency: concurrency.collect::<Result<_, _>>()?,
            store,
            tokens,
        })
    }

    /// The budgets, how many keys have used them, and how many calls are under way and wait.
    pub fn to_json(&self) -> Value {
        let concurrency = self.concurrency.iter().map(|limit| {
            let levels = limit.handle().levels();
            json!({ "inside": levels.inside, "waiting": levels.waiting })
        });
        let budgets = self.tokens.iter().flat_map(TokenLimitLayer::budgets);
        let budgets = budgets
            .map(|budget| json!({ "name": budget.name(), "limit": budget.limit().to_string() }));
        json!({
            "concurrency": concurrency.collect::<Vec<_>>(),
            "keys": self.store.keys(),
            "token_budgets": budgets.collect::<Vec<_>>(),
        })
    }
}
