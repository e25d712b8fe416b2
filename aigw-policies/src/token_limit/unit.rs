use std::sync::Arc;

use aigw_core::usage::Usage;

use super::{Prices, Weights, limiter::Asked, prices::Money};

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
    /// Whether it depends on how many tokens a call has.
    pub(super) fn reads_prompts(&self) -> bool {
        !matches!(self, Self::Calls)
    }

    /// What a call to this model asks.
    pub(super) fn asks(&self, asked: &Asked, model: &str, most: u64) -> u64 {
        let weights = match self {
            Self::Tokens(weights) => weights,
            Self::Cost(prices) => prices.of(model).weights(),
            Self::Calls => return 1,
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
        if amount > most && weights.weigh(&certain.usage()) <= most {
            most
        } else {
            amount
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
