use std::fmt;

use super::Price;

/// What the tokens of each model cost: per million of them, in a currency.
///
/// Amounts of money are counted in millionths of the currency: a token at 2.5 per million is 2.5
/// of them.
///
/// # Examples
///
/// ```
/// use aigw_policies::token_limit::{Price, Prices};
/// use aigw_core::usage::Kind;
///
/// let usual = Price::try_new(2.5, 10.0)?.set(Kind::CachedInput, 1.25)?;
/// let prices = Prices::new("USD", Price::try_new(15.0, 75.0)?) // for models that are not listed
///     .model("gpt-4o-mini*", Price::try_new(0.15, 0.6)?)
///     .model("gpt-4o*", usual);
/// assert_eq!(prices.of("gpt-4o-2024-08-06"), &usual);
/// # Ok::<(), aigw_policies::token_limit::PriceError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Prices {
    currency: Box<str>,
    otherwise: Price,
    models: Vec<(Pattern, Price)>,
}

/// The name of a model, or, with a star at its end, how names begin.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Pattern {
    Name(Box<str>),
    Beginning(Box<str>),
}

impl Prices {
    /// Prices in a currency, which refusals name. What is not listed costs so much: dear, rather
    /// than nothing, for callers make up names.
    pub fn new(currency: impl Into<Box<str>>, otherwise: Price) -> Self {
        Self {
            currency: currency.into(),
            otherwise,
            models: Vec::new(),
        }
    }

    /// The price of a model, or, with a star at the end of the name, of all that begin so. The
    /// longest that fits counts. A star elsewhere is a part of the name.
    pub fn model(mut self, name: &str, price: Price) -> Self {
        let pattern = match name.strip_suffix('*') {
            Some(beginning) => Pattern::Beginning(beginning.into()),
            None => Pattern::Name(name.into()),
        };
        self.models.push((pattern, price));
        self
    }

    /// The price of a model.
    #[must_use]
    pub fn of(&self, model: &str) -> &Price {
        self.listed(model).unwrap_or(&self.otherwise)
    }

    /// Its price by the model that answered, if that is listed; else by the one that was asked.
    pub(super) fn served(&self, served: Option<&str>, asked: &str) -> &Price {
        let listed = served.and_then(|served| self.listed(served));
        listed.unwrap_or_else(|| self.of(asked))
    }

    /// The currency.
    #[must_use]
    pub fn currency(&self) -> &str {
        &self.currency
    }

    fn listed(&self, model: &str) -> Option<&Price> {
        let fits = self.models.iter().filter_map(|(pattern, price)| {
            let length = match pattern {
                Pattern::Name(name) => (**name == *model).then_some(usize::MAX),
                Pattern::Beginning(name) => model.starts_with(&**name).then_some(name.len()),
            };
            Some((length?, price))
        });
        fits.max_by_key(|(length, _)| *length)
            .map(|(_, price)| price)
    }
}

/// Millionths of a currency, as money is written.
pub(super) struct Money(pub(super) u64);

/// How many there are in one.
const MILLION: u64 = 1_000_000;

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(millionths) = self;
        let (whole, rest) = (millionths / MILLION, millionths % MILLION);
        let decimals = format!("{rest:06}");
        match decimals.trim_end_matches('0') {
            "" => write!(f, "{whole}"),
            decimals => write!(f, "{whole}.{decimals}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn price(input: f64) -> Price {
        Price::try_new(input, input).unwrap()
    }

    #[test]
    fn the_longest_name_that_fits_counts() {
        let prices = Prices::new("USD", price(100.0))
            .model("gpt-4o*", price(2.0))
            .model("gpt-4o", price(3.0))
            .model("gpt-4o-mini*", price(1.0));
        for (model, expected) in [
            ("gpt-4o", 3.0),
            ("gpt-4o-2024", 2.0),
            ("gpt-4o-mini", 1.0),
            ("gpt-4o-mini-2024", 1.0),
            ("gpt-4", 100.0),
            ("", 100.0),
        ] {
            assert_eq!(prices.of(model), &price(expected), "{model}");
        }
        assert_eq!(
            prices.served(Some("gpt-4o-mini-2024"), "gpt-4o"),
            &price(1.0)
        );
        assert_eq!(prices.served(Some("unknown"), "gpt-4o"), &price(3.0));
        assert_eq!(prices.served(None, "gpt-4o"), &price(3.0));
    }

    #[test]
    fn money_is_written_without_needless_zeros() {
        for (millionths, text) in [
            (0, "0"),
            (1, "0.000001"),
            (1_250_000, "1.25"),
            (50_000_000, "50"),
        ] {
            assert_eq!(Money(millionths).to_string(), text);
        }
    }
}
