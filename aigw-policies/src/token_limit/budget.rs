use std::sync::Arc;

use aigw_core::{call::Call, key::Dimension, usage::Usage};
use http::HeaderMap;

use super::{Weights, limiter::Asked};
use crate::budget::{Claim, Condition, Key, Limit};

/// An allowance of tokens or calls: whose, when, and how much.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
///
/// use aigw_policies::{
///     budget::{Condition, Rate},
///     token_limit::Budget,
///     aigw_core::key::Dimension,
/// };
///
/// let gold = Budget::new("gold", Rate::try_new(100_000, Duration::from_secs(60))?)
///     .key([Dimension::Consumer])
///     .when(Condition::value(Dimension::Label("tier".into()), "gold"));
/// assert_eq!(gold.name(), "gold");
/// # Ok::<(), aigw_policies::budget::LimitError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Budget {
    name: Arc<str>,
    limit: Limit,
    key: Vec<Dimension>,
    when: Option<Condition>,
    unit: Unit,
}

/// What a budget counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    Tokens(Weights),
    Calls,
}

impl Budget {
    /// A budget of tokens that all callers share. The name stands in refusals and in the store: to
    /// change it is to begin anew.
    #[must_use]
    pub fn new(name: impl Into<Arc<str>>, limit: impl Into<Limit>) -> Self {
        Self {
            name: name.into(),
            limit: limit.into(),
            key: Vec::new(),
            when: None,
            unit: Unit::Tokens(Weights::default()),
        }
    }

    /// Gives each combination of these properties a budget of its own. Calls that have none of a
    /// property share one: to leave out a header is no way around a limit.
    #[must_use]
    pub fn key(mut self, dimensions: impl IntoIterator<Item = Dimension>) -> Self {
        self.key = dimensions.into_iter().collect();
        self
    }

    /// Holds for these calls alone.
    #[must_use]
    pub fn when(mut self, condition: Condition) -> Self {
        self.when = Some(condition);
        self
    }

    /// Counts each kind of token so many times. Default: what is read and what is written once.
    #[must_use]
    pub fn weights(mut self, weights: Weights) -> Self {
        self.unit = Unit::Tokens(weights);
        self
    }

    /// Counts calls in place of tokens.
    #[must_use]
    pub fn calls(mut self) -> Self {
        self.unit = Unit::Calls;
        self
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it admits.
    #[must_use]
    pub fn limit(&self) -> &Limit {
        &self.limit
    }

    /// Whether it has a condition that says nothing.
    pub(super) fn holds_for_nothing_named(&self) -> bool {
        self.when.as_ref().is_some_and(Condition::is_empty)
    }

    pub(super) fn counts_tokens(&self) -> bool {
        matches!(self.unit, Unit::Tokens(_))
    }

    /// What it asks of the store for a call; `None` where it does not hold for the call.
    pub(super) fn claim(&self, call: &Call, headers: &HeaderMap, asked: &Asked) -> Option<Claim> {
        let when = self.when.as_ref();
        let holds = when.is_none_or(|condition| condition.holds(call, headers));
        holds.then(|| Claim {
            key: Key::new(
                &self.name,
                self.key
                    .iter()
                    .map(|dimension| dimension.value(call, headers)),
            ),
            limit: self.limit,
            amount: self.asks(asked),
        })
    }

    /// How much it holds for a call until it is known.
    pub(super) fn asks(&self, asked: &Asked) -> u64 {
        let Unit::Tokens(weights) = &self.unit else {
            return 1;
        };
        let Asked {
            expected, certain, ..
        } = asked;
        let amount = if certain.output > 0 {
            weights.weigh_most(expected.input, expected.output)
        } else {
            weights.weigh(&expected.usage())
        };
        // A guess makes nobody wait for what can never come.
        let most = self.limit.amount();
        if amount > most && weights.weigh(&certain.usage()) <= most {
            most
        } else {
            amount
        }
    }

    /// What a usage comes to in its unit. `reached` says whether a provider has seen the call.
    pub(super) fn amount(&self, usage: &Usage, reached: bool) -> u64 {
        match &self.unit {
            Unit::Tokens(weights) => weights.weigh(usage),
            Unit::Calls => u64::from(reached),
        }
    }
}
