use std::{collections::HashMap, fmt, sync::Arc, time::Duration};

use aigw_core::{duration, key::Dimension, usage::Kind};
use http::{HeaderName, StatusCode};
use serde::{Deserialize, Deserializer, de};

use super::{
    Budget, ConfigError, OnOpaque, Output, Price, Prices, TokenLimitLayer, Weights,
    consumed::ConsumedLayer,
};
use crate::{
    budget::{Align, Condition, Headers, Limit, Period, Quota, Rate, Store},
    tokens::{Fast, Off},
};

/// A token limit as it is written in a file (feature `serde`). A key that is not known is an error.
/// In code, begin with [`TokenLimitLayer::try_new`].
///
/// # Examples
///
/// ```
/// use aigw_policies::{budget::MemoryStore, token_limit::Config};
///
/// let config: Config = serde_json::from_str(
///     r#"{
///         "estimate": "fast",
///         "output": "max_tokens",
///         "opaque": "pass",
///         "budget": [
///             { "name": "rate", "key": ["consumer"], "tokens_per_minute": 100000 },
///             { "name": "monthly", "key": ["consumer"], "quota": 1000000, "period": "month" }
///         ]
///     }"#,
/// )?;
/// let layer = config.layer(MemoryStore::new())?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Config {
    /// How prompts are estimated.
    pub estimate: EstimatorConfig,
    /// What output is expected: `learned`, `max_tokens` (the caller's cap) or a number of tokens.
    /// Default: `learned`.
    #[serde(default, deserialize_with = "output")]
    pub output: Output,
    /// What happens to calls that cannot be read: `pass`, `refuse` or a number of tokens to charge.
    #[serde(deserialize_with = "opaque")]
    pub opaque: OnOpaque,
    /// Whether a stream is ended, as if the model had reached its greatest length, when it has
    /// written all that was held for it and a budget has nothing left. Default: it runs on.
    #[serde(default)]
    pub stop_streams: bool,
    /// The status of a refusal by a quota. Default: 429.
    #[serde(default)]
    pub quota_status: Option<u16>,
    /// Other names for the headers that tell what is left; an empty one leaves its header out.
    #[serde(default)]
    pub headers: HeaderNames,
    /// What tokens cost, for budgets of money.
    #[serde(default)]
    pub prices: Option<PricesConfig>,
    /// The budgets.
    pub budget: Vec<BudgetConfig>,
}

/// What tokens cost (feature `serde`): by kind, per million of them. `input` and `output` must be
/// there, and what has no price of its own costs what it is part of.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct PricesConfig {
    /// The currency, which refusals name.
    pub currency: String,
    /// What models cost that are not listed: dear, rather than nothing, for callers make up names.
    pub otherwise: HashMap<String, f64>,
    /// By the name of a model, or, with a star at its end, by how names begin.
    #[serde(default)]
    pub model: HashMap<String, HashMap<String, f64>>,
}

/// How prompts are estimated (feature `serde`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum EstimatorConfig {
    /// They are not: a prompt is charged when its answer reports it.
    Off,
    /// In one pass, by what was learnt of the model.
    Fast,
    /// The same, and counted by the model's own vocabulary where that can change what is decided.
    /// Needs the feature `tiktoken`.
    Exact,
}

/// Which model is meant (feature `serde`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum WhichModel {
    /// The one that is asked.
    #[default]
    Requested,
    /// The one that answers; see [`Budget::by_served_model`].
    Served,
}

/// Names of headers (feature `serde`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct HeaderNames {
    /// In place of `x-ratelimit-limit-tokens`.
    pub limit: Option<String>,
    /// In place of `x-ratelimit-remaining-tokens`.
    pub remaining: Option<String>,
    /// In place of `x-ratelimit-reset-tokens`.
    pub reset: Option<String>,
    /// In place of `x-ratelimit-degraded`.
    pub degraded: Option<String>,
    /// Where [`Config::consumed`] tells how many tokens a call has used. Default: nowhere.
    pub consumed: Option<String>,
}

/// One budget (feature `serde`): a rate, a quota, or both.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct BudgetConfig {
    /// Its name in refusals and in the store. Where there is a quota beside a rate, the quota's is
    /// followed by `/quota`.
    pub name: String,
    /// By which properties there is one of its own. Default: one for all.
    #[serde(default)]
    pub key: Vec<Dimension>,
    /// Which model is meant where there is one for each `model`: the one that is `requested`, or that
    /// is `served`. Default: `requested`.
    #[serde(default)]
    pub model: WhichModel,
    /// For which calls it holds. Default: for all.
    #[serde(default)]
    pub when: Option<Condition>,
    /// A rate of tokens by the minute.
    #[serde(default)]
    pub tokens_per_minute: Option<u64>,
    /// A rate of tokens by the time of `per`.
    #[serde(default)]
    pub tokens: Option<u64>,
    /// A rate of calls by the time of `per`.
    #[serde(default)]
    pub requests: Option<u64>,
    /// So much money by the time of `per`, or for each `period`.
    #[serde(default)]
    pub cost: Option<f64>,
    /// The time of `tokens`, `requests` or `cost`.
    #[serde(default, deserialize_with = "duration::deserialize_optional")]
    pub per: Option<Duration>,
    /// An amount for each `period`: of calls beside `requests`, else of tokens.
    #[serde(default)]
    pub quota: Option<u64>,
    /// The period of `quota`.
    #[serde(default)]
    pub period: Option<Period>,
    /// When periods begin. Default: with the UTC calendar.
    #[serde(default)]
    pub align: Option<Align>,
    /// How many times each kind of token counts.
    #[serde(default)]
    pub weights: HashMap<String, f64>,
}

impl Config {
    /// The layer that it describes. With [`EstimatorConfig::Exact`], say where long prompts are
    /// [counted](TokenLimitLayer::offload).
    ///
    /// # Errors
    ///
    /// No budget, or one or a price that cannot take effect; a name of a header that cannot be or
    /// stands twice; a status that is none of a refusal, or for which there is no quota; prompts that
    /// are to be counted without the feature `tiktoken`.
    pub fn layer<St: Store>(&self, store: St) -> Result<TokenLimitLayer<St>, ConfigError> {
        let prices = self
            .prices
            .as_ref()
            .map(PricesConfig::resolve)
            .transpose()?;
        let mut budgets = Vec::new();
        for budget in &self.budget {
            budgets.extend(budget.budgets(prices.as_ref())?);
        }
        let layer = TokenLimitLayer::try_new(budgets, store, self.opaque)?
            .output(self.output)
            .stop_streams(self.stop_streams)
            .headers(self.headers.names()?.headers)?
            .quota_status(self.quota_status()?)?;
        Ok(match self.estimate {
            EstimatorConfig::Off => layer.estimator(Off),
            EstimatorConfig::Fast => layer.estimator(Fast::new()),
            #[cfg(feature = "tiktoken")]
            EstimatorConfig::Exact => layer.estimator(crate::tokens::Exact::new()),
            #[cfg(not(feature = "tiktoken"))]
            EstimatorConfig::Exact => return Err(ConfigError::NoTokenizer),
        })
    }

    /// What tells how many tokens a call has used, if that is asked for. It stands outside the
    /// [layer](Self::layer).
    ///
    /// # Errors
    ///
    /// A name that no header can have, or that stands twice or has a meaning of its own.
    pub fn consumed(&self) -> Result<Option<ConsumedLayer>, ConfigError> {
        let name = self.headers.names()?.consumed;
        Ok(name.map(ConsumedLayer::new))
    }

    fn quota_status(&self) -> Result<StatusCode, ConfigError> {
        let Some(status) = self.quota_status else {
            return Ok(StatusCode::TOO_MANY_REQUESTS);
        };
        if self.budget.iter().all(|budget| budget.period.is_none()) {
            return Err(ConfigError::StatusWithoutQuota);
        }
        StatusCode::from_u16(status).map_err(|_| ConfigError::Status(status))
    }
}

impl BudgetConfig {
    fn budgets(&self, prices: Option<&Arc<Prices>>) -> Result<Vec<Budget>, ConfigError> {
        let fault = |fault: String| ConfigError::Budget(self.name.clone().into(), fault.into());
        if let Some(cost) = self.cost {
            return self.money(cost, prices).map(|budget| vec![budget]);
        }
        let (amount, per) = match (self.tokens_per_minute, self.tokens, self.requests, self.per) {
            (Some(tokens), None, None, None) => (Some(tokens), Duration::from_secs(60)),
            (None, Some(amount), None, Some(per)) | (None, None, Some(amount), Some(per)) => {
                (Some(amount), per)
            }
            (None, None, None, None) => (None, Duration::ZERO),
            _ => {
                return Err(fault(
                    "a rate is either `tokens_per_minute`, or `tokens` or `requests` with `per`"
                        .into(),
                ));
            }
        };
        let quota = match (self.quota, self.period, self.align) {
            (Some(amount), Some(period), align) => {
                Some((amount, period, align.unwrap_or_default()))
            }
            (None, None, None) => None,
            (None, None, Some(_)) => return Err(fault("`align` is for a `quota`".into())),
            _ => return Err(fault("`quota` and `period` go together".into())),
        };
        let rate = amount.map(|amount| Rate::try_new(amount, per).map(Limit::from));
        let quota = quota
            .map(|(amount, period, align)| Quota::try_new(amount, period, align).map(Limit::from));
        let beside = rate.is_some();
        let limits = [(rate, ""), (quota, if beside { "/quota" } else { "" })];
        let mut budgets = Vec::new();
        for (limit, suffix) in limits {
            if let Some(limit) = limit {
                let limit = limit.map_err(|error| fault(error.to_string()))?;
                budgets.push(self.budget(format!("{}{suffix}", self.name), limit)?);
            }
        }
        if budgets.is_empty() {
            return Err(fault("it has neither a rate nor a quota".into()));
        }
        Ok(budgets)
    }

    fn money(&self, cost: f64, prices: Option<&Arc<Prices>>) -> Result<Budget, ConfigError> {
        let fault = |fault: &str| ConfigError::Budget(self.name.clone().into(), fault.into());
        let prices = prices.ok_or_else(|| fault("`cost` needs `[token_limit.prices]`"))?;
        let others = [
            self.tokens_per_minute,
            self.tokens,
            self.requests,
            self.quota,
        ];
        if others.iter().any(Option::is_some) || !self.weights.is_empty() {
            return Err(fault(
                "`cost` stands alone, without tokens, requests, quota or weights",
            ));
        }
        let limit = match (self.per, self.period, self.align) {
            (Some(per), None, None) => Rate::of_money(cost, per).map(Limit::from),
            (None, Some(period), align) => {
                let align = align.unwrap_or_default();
                Quota::of_money(cost, period, align).map(Limit::from)
            }
            _ => return Err(fault("`cost` is for a time: either `per` or `period`")),
        };
        let limit = limit.map_err(|error| fault(&error.to_string()))?;
        Ok(self
            .budget(self.name.clone(), limit)?
            .cost(Arc::clone(prices)))
    }

    fn budget(&self, name: String, limit: Limit) -> Result<Budget, ConfigError> {
        let fault = |fault: String| ConfigError::Budget(self.name.clone().into(), fault.into());
        let weights = by_kind(&self.weights, Weights::default(), Weights::set).map_err(fault)?;
        let mut budget = Budget::new(name, limit)
            .key(self.key.iter().cloned())
            .weights(weights);
        if self.requests.is_some() {
            if !self.weights.is_empty() {
                return Err(fault("requests have no weights".into()));
            }
            budget = budget.calls();
        }
        if let Some(condition) = &self.when {
            budget = budget.when(condition.clone());
        }
        if self.model == WhichModel::Served {
            budget = budget.by_served_model();
        }
        Ok(budget)
    }
}

impl PricesConfig {
    fn resolve(&self) -> Result<Arc<Prices>, ConfigError> {
        let mut prices = Prices::new(&*self.currency, price("otherwise", &self.otherwise)?);
        for (model, kinds) in &self.model {
            if model.strip_suffix('*').unwrap_or(model).contains('*') {
                let fault = "a star stands at the end of a name, and nowhere else";
                return Err(ConfigError::Price((**model).into(), fault.into()));
            }
            prices = prices.model(model, price(model, kinds)?);
        }
        Ok(Arc::new(prices))
    }
}

fn price(of: &str, kinds: &HashMap<String, f64>) -> Result<Price, ConfigError> {
    let fault = |fault: String| ConfigError::Price(of.into(), fault.into());
    let free = Price::try_new(0.0, 0.0).map_err(|error| fault(error.to_string()))?;
    let price = by_kind(kinds, free, Price::set).map_err(fault)?;
    for needed in ["input", "output"] {
        if !kinds.contains_key(needed) {
            return Err(fault(format!("`{needed}` is missing")));
        }
    }
    Ok(price)
}

/// Sets a number for each kind that is named.
fn by_kind<W, E: fmt::Display>(
    kinds: &HashMap<String, f64>,
    mut whole: W,
    set: impl Fn(W, Kind, f64) -> Result<W, E>,
) -> Result<W, String> {
    for (name, number) in kinds {
        let kind = Kind::ALL.iter().find(|kind| kind.as_str() == name);
        let kind = kind.ok_or_else(|| {
            let all: Vec<_> = Kind::ALL.iter().map(|kind| kind.as_str()).collect();
            let all = all.join("`, `");
            format!("there is no kind of token `{name}`, expected one of `{all}`")
        })?;
        whole = set(whole, *kind, *number).map_err(|error| error.to_string())?;
    }
    Ok(whole)
}

/// The headers that have the names of a file.
struct Names {
    headers: Headers,
    consumed: Option<HeaderName>,
}

impl HeaderNames {
    fn names(&self) -> Result<Names, ConfigError> {
        let named = |name: &Option<String>, otherwise: Option<HeaderName>| match name.as_deref() {
            None => Ok(otherwise),
            Some("") => Ok(None),
            Some(name) => HeaderName::try_from(name)
                .map(Some)
                .map_err(|_| ConfigError::NotAHeader(name.into())),
        };
        let otherwise = Headers::tokens();
        let headers = Headers {
            limit: named(&self.limit, otherwise.limit)?,
            remaining: named(&self.remaining, otherwise.remaining)?,
            reset: named(&self.reset, otherwise.reset)?,
            degraded: named(&self.degraded, otherwise.degraded)?,
        };
        let consumed = named(&self.consumed, None)?;
        match headers.fault(consumed.as_ref()) {
            Some(name) => Err(ConfigError::Header(name.as_str().into())),
            None => Ok(Names { headers, consumed }),
        }
    }
}

/// A word, or a number of tokens.
#[derive(Deserialize)]
#[serde(untagged)]
enum WordOrTokens {
    Tokens(u64),
    Word(String),
}

fn output<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Output, D::Error> {
    match WordOrTokens::deserialize(deserializer) {
        Ok(WordOrTokens::Tokens(tokens)) => Ok(Output::Tokens(tokens)),
        Ok(WordOrTokens::Word(word)) if word == "learned" => Ok(Output::Learned),
        Ok(WordOrTokens::Word(word)) if word == "max_tokens" => Ok(Output::ClientCap),
        _ => Err(de::Error::custom(
            "expected `learned`, `max_tokens` or a number of tokens",
        )),
    }
}

fn opaque<'de, D: Deserializer<'de>>(deserializer: D) -> Result<OnOpaque, D::Error> {
    match WordOrTokens::deserialize(deserializer) {
        Ok(WordOrTokens::Tokens(tokens)) => Ok(OnOpaque::Charge(tokens)),
        Ok(WordOrTokens::Word(word)) if word == "pass" => Ok(OnOpaque::Pass),
        Ok(WordOrTokens::Word(word)) if word == "refuse" => Ok(OnOpaque::Refuse),
        _ => Err(de::Error::custom(
            "expected `pass`, `refuse` or a number of tokens",
        )),
    }
}
