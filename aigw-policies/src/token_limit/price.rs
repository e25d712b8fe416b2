use std::{error::Error, fmt};

use aigw_core::usage::Kind;

use super::Weights;

/// What the tokens of a model cost: by kind, per million of them.
///
/// A kind that has no price of its own costs what the whole costs that it is part of: cached input as
/// input, reasoning as output.
///
/// # Examples
///
/// ```
/// use aigw_policies::{aigw_core::usage::Kind, token_limit::Price};
///
/// let price = Price::try_new(2.5, 10.0)?.set(Kind::CachedInput, 1.25)?;
/// let error = price.set(Kind::Output, -1.0).unwrap_err();
/// assert_eq!(error.to_string(), "the price of `output` is from 0 to 1000000000 per million, not -1");
/// # Ok::<(), aigw_policies::token_limit::PriceError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Price(Weights);

impl Price {
    /// The greatest price: a billion for a million tokens.
    pub const MAX: f64 = 1e9;

    /// So much for a million tokens of input, and of output, to six decimals.
    ///
    /// # Errors
    ///
    /// Refuses what is not from 0 to [`MAX`](Self::MAX).
    pub fn try_new(input: f64, output: f64) -> Result<Self, PriceError> {
        Self(Weights::default())
            .set(Kind::Input, input)?
            .set(Kind::Output, output)
    }

    /// So much for a million tokens of a kind, to six decimals.
    ///
    /// # Errors
    ///
    /// Refuses what is not from 0 to [`MAX`](Self::MAX).
    pub fn set(self, kind: Kind, price: f64) -> Result<Self, PriceError> {
        let set = self.0.set_within(kind, price, Self::MAX);
        set.map(Self).ok_or(PriceError { kind, price })
    }

    /// As weights: a token that costs so much for a million costs so many millionths.
    pub(super) fn weights(&self) -> &Weights {
        &self.0
    }
}

/// A price that no token can have.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct PriceError {
    /// Whose price it was to be.
    pub kind: Kind,
    /// What it was to be.
    pub price: f64,
}

impl fmt::Display for PriceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, price } = self;
        let most = Price::MAX;
        write!(
            f,
            "the price of `{kind}` is from 0 to {most} per million, not {price}"
        )
    }
}

impl Error for PriceError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_currency_has_room() {
        // Dear tokens in a currency of which a dollar buys tens of thousands.
        let price = Price::try_new(500_000.0, 2_000_000.0).unwrap();
        let usage = [(Kind::Input, 3), (Kind::Output, 1)].into_iter().collect();
        assert_eq!(price.weights().weigh(&usage), 3_500_000);
        for bad in [-0.1, 1.1e9, f64::NAN] {
            assert!(Price::try_new(bad, 0.0).is_err());
        }
    }
}
