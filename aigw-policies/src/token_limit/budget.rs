use std::{fmt, sync::Arc};

use aigw_core::{call::Call, key::Dimension};
use http::HeaderMap;

use super::{Prices, Unit, Weights, asking::Asked, served::Served};
use crate::budget::{Claim, Condition, Key, Limit};

/// An allowance of tokens, calls or money: whose, when, and how much.
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
    follows: bool,
    by_served: bool,
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
            follows: false,
            by_served: false,
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

    /// Counts what calls cost by these prices, in millionths of their currency, and not tokens. Its
    /// limit must be one [of money](crate::budget::Quota::of_money), and no other limit may.
    ///
    /// ```
    /// use aigw_policies::{
    ///     budget::{Align, Period, Quota},
    ///     token_limit::{Budget, Price, Prices},
    /// };
    ///
    /// let prices = Prices::new("USD", Price::try_new(2.5, 10.0)?);
    /// let fifty = Quota::of_money(50.0, Period::Month, Align::Utc)?;
    /// let budget = Budget::new("money", fifty).cost(prices);
    /// assert_eq!(budget.to_string(), "50 USD per month");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn cost(mut self, prices: impl Into<Arc<Prices>>) -> Self {
        self.unit = Unit::Cost(prices.into());
        self
    }

    /// Lets the provider correct it, as is of use where the budget stands for an account there: a
    /// client's, for instance.
    ///
    /// Where an answer tells how many tokens the account may use in a minute, that becomes the
    /// limit; and where it tells that fewer are left than this budget has, others have used them,
    /// and they are taken here as well: no call that is over gives back more than that. Read are
    /// `x-ratelimit-limit-tokens` and `x-ratelimit-remaining-tokens` of OpenAI and Azure, and the
    /// same of Anthropic. For a rate of tokens; nothing else is corrected.
    #[must_use]
    pub fn follows_provider(mut self) -> Self {
        self.follows = true;
        self
    }

    /// Means by the [model](Dimension::Model) of its key the one that answers, where a router or an
    /// alias is asked. Default: the one that is asked.
    ///
    /// Which model that is, only the answer tells. Until then a call is held against the model that
    /// last answered to the same name, or, the first time, against the name itself; what it has used
    /// is then charged to the model that answered. When another model begins to answer, its limit may
    /// be exceeded by the calls already under way. At most 1,000 names are remembered.
    #[must_use]
    pub fn by_served_model(mut self) -> Self {
        self.by_served = true;
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

    /// The properties of its key.
    #[must_use]
    pub fn dimensions(&self) -> &[Dimension] {
        &self.key
    }

    /// What it counts.
    #[must_use]
    pub fn unit(&self) -> &Unit {
        &self.unit
    }

    /// Whether it has a condition that says nothing.
    pub(super) fn holds_for_nothing_named(&self) -> bool {
        self.when.as_ref().is_some_and(Condition::is_empty)
    }

    pub(super) fn set_limit(&mut self, limit: Limit) {
        self.limit = limit;
    }

    /// Whether what it has left stands in headers.
    pub(super) fn counts_tokens(&self) -> bool {
        matches!(self.unit, Unit::Tokens(_))
    }

    /// Whether an answer can correct it.
    pub(super) fn is_corrected(&self) -> bool {
        self.follows && self.counts_tokens() && matches!(self.limit, Limit::Rate(_))
    }

    /// Whether its key has the model that answers.
    pub(super) fn is_by_served(&self) -> bool {
        self.by_served && self.key.contains(&Dimension::Model)
    }

    /// Whether it is to be by a model that its key has not.
    pub(super) fn lacks_model(&self) -> bool {
        self.by_served && !self.is_by_served()
    }

    /// The same key, of a call that this model has answered.
    pub(super) fn key_by(&self, model: &str, key: &Key) -> Key {
        let parts = self.key.iter().enumerate();
        let places = parts.filter(|(_, part)| **part == Dimension::Model);
        places.fold(key.clone(), |key, (place, _)| key.with(place, model))
    }

    /// What it asks of the store for a call; `None` where it does not hold for the call.
    pub(super) fn claim(
        &self,
        call: &Call,
        headers: &HeaderMap,
        asked: &Asked,
        served: &Served,
    ) -> Option<Claim> {
        let when = self.when.as_ref();
        if !when.is_none_or(|condition| condition.holds(call, headers)) {
            return None;
        }
        let values = self.key.iter().map(|part| part.value(call, headers));
        let mut key = Key::new(&self.name, values);
        if self.is_by_served()
            && let Some(model) = served.by(call.model().unwrap_or_default())
        {
            key = self.key_by(&model, &key);
        }
        Some(Claim {
            key,
            limit: self.limit,
            amount: self.asks(call, asked),
        })
    }

    /// How much it holds for a call until it is known.
    pub(super) fn asks(&self, call: &Call, asked: &Asked) -> u64 {
        let amount = self.expects(call, asked);
        let most = self.limit.amount();
        // A guess makes nobody wait for what can never come.
        if amount > most && self.unit.certain(asked, model(call)) <= most {
            most
        } else {
            amount
        }
    }

    /// The least that is worth while to hold: the prompt and something of an answer, where that is
    /// a guess.
    pub(super) fn least(&self, call: &Call, asked: &Asked) -> u64 {
        let asks = self.asks(call, asked);
        if asked.certain.output > 0 {
            asks
        } else {
            self.prompt(call, asked).saturating_add(1).min(asks)
        }
    }

    /// What the prompt of a call is expected to use.
    pub(super) fn prompt(&self, call: &Call, asked: &Asked) -> u64 {
        self.unit.prompt(asked, model(call))
    }

    /// Whether a call waits for what is expected of it: a rate brings that soon, and a quota only
    /// with its next period.
    pub(super) fn is_waited_for(&self, call: &Call, asked: &Asked) -> bool {
        matches!(self.limit, Limit::Rate(_)) && self.expects(call, asked) <= self.limit.amount()
    }

    fn expects(&self, call: &Call, asked: &Asked) -> u64 {
        self.unit.expects(asked, model(call))
    }
}

fn model(call: &Call) -> &str {
    call.model().unwrap_or_default()
}

/// Its limit, as refusals write it: `100 tokens per minute`, `50 USD per month`.
impl fmt::Display for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let amount = self.unit.write(self.limit.amount());
        write!(f, "{amount} per {}", self.limit.span())
    }
}
