use std::sync::Arc;

use aigw_core::usage::Usage;

use super::{Prices, Weights, asking::Asked, prices::Money, settlement::Expected};
use crate::budget::Limit;

/// What a budget counts.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
///
/// use aigw_policies::{budget::Rate, token_limit::{Budget, Unit}};
///
/// let budget = Budget::new("calls", Rate::try_new(10, Duration::from_secs(1))?).calls();
/// assert_eq!(budget.unit(), &Unit::Calls);
/// # Ok::<(), aigw_policies::budget::LimitError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Unit {
    /// Tokens, each kind so many times.
    Tokens(Weights),
    /// Calls.
    Calls,
    /// What calls cost by these prices, in millionths of their currency.
    Cost(Arc<Prices>),
}

impl Unit {
    /// Why a limit cannot be one of what it counts, if so: as numbers both are alike.
    pub(super) fn mismatch(&self, limit: &Limit) -> Option<&'static str> {
        match (self, limit.is_money()) {
            (Self::Cost(_), false) => Some("its limit is not of money, as its cost is"),
            (Self::Tokens(_) | Self::Calls, true) => {
                Some("its limit is of money, and it counts none")
            }
            _ => None,
        }
    }

    /// Whether it depends on how many tokens a call has.
    pub(super) fn reads_prompts(&self) -> bool {
        !matches!(self, Self::Calls)
    }

    /// What a call to this model is expected to use, or can at most by the caller's own cap.
    pub(super) fn expects(&self, asked: &Asked, model: &str) -> u64 {
        let Some(weights) = self.weights(model) else {
            return 1;
        };
        let Asked { expected, certain } = asked;
        if certain.output > 0 {
            weights.weigh_most(expected.input, expected.output)
        } else {
            weights.weigh(&expected.usage())
        }
    }

    /// The part of it that is no guess.
    pub(super) fn certain(&self, asked: &Asked, model: &str) -> u64 {
        let weights = self.weights(model);
        weights.map_or(1, |weights| weights.weigh(&asked.certain.usage()))
    }

    /// What its prompt is expected to use.
    pub(super) fn prompt(&self, asked: &Asked, model: &str) -> u64 {
        let output = 0;
        let prompt = Expected {
            output,
            ..asked.expected
        };
        let weights = self.weights(model);
        weights.map_or(1, |weights| weights.weigh(&prompt.usage()))
    }

    /// How many times tokens of a model count; `None` where they do not.
    fn weights(&self, model: &str) -> Option<&Weights> {
        match self {
            Self::Tokens(weights) => Some(weights),
            Self::Cost(prices) => Some(prices.of(model).weights()),
            Self::Calls => None,
        }
    }

    /// What it is charged with for this usage; `served` is the model that answered.
    pub(super) fn amount(
        &self,
        usage: &Usage,
        reached: bool,
        asked: &str,
        served: Option<&str>,
    ) -> u64 {
        match self {
            Self::Tokens(weights) => weights.weigh(usage),
            Self::Cost(prices) => prices.served(served, asked).weights().weigh(usage),
            Self::Calls => u64::from(reached),
        }
    }

    /// What refusals call it.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Tokens(_) => "tokens",
            Self::Calls => "requests",
            Self::Cost(_) => "cost",
        }
    }

    /// An amount of it, as refusals write it.
    pub(super) fn write(&self, amount: u64) -> String {
        match self {
            Self::Tokens(_) | Self::Calls => format!("{amount} {}", self.kind()),
            Self::Cost(prices) => format!("{} {}", Money(amount), prices.currency()),
        }
    }
}
