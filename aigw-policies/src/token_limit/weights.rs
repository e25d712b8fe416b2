use std::{error::Error, fmt};

use aigw_core::usage::{Kind, Usage};

/// How many times each kind of token counts.
///
/// A kind that has no weight of its own counts as the whole that it is part of: cached input as
/// input, reasoning as output. A sum is rounded up.
///
/// # Examples
///
/// ```
/// use aigw_policies::{aigw_core::usage::{Kind, Usage}, token_limit::Weights};
///
/// let usage: Usage = [(Kind::Input, 1000), (Kind::CachedInput, 900), (Kind::Output, 50)]
///     .into_iter()
///     .collect();
/// assert_eq!(Weights::default().weigh(&usage), 1050);
/// let weights = Weights::default().set(Kind::CachedInput, 0.1)?.set(Kind::Output, 4.0)?;
/// assert_eq!(weights.weigh(&usage), 100 + 90 + 200);
/// # Ok::<(), aigw_policies::token_limit::WeightError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Weights {
    /// In millionths.
    own: [Option<u64>; Kind::ALL.len()],
}

/// A whole token.
const ONE: u64 = 1_000_000;

impl Default for Weights {
    /// Input and output once, and their parts as they are part of them.
    fn default() -> Self {
        let mut own = [None; Kind::ALL.len()];
        for whole in [Kind::Input, Kind::Output] {
            if let Some(own) = own.get_mut(whole as usize) {
                *own = Some(ONE);
            }
        }
        Self { own }
    }
}

impl Weights {
    /// The greatest weight.
    pub const MAX: f64 = 1000.0;

    /// Counts input and output so many times, to six decimals.
    ///
    /// # Errors
    ///
    /// Refuses what is not from 0 to [`MAX`](Self::MAX).
    pub fn try_new(input: f64, output: f64) -> Result<Self, WeightError> {
        Self::default()
            .set(Kind::Input, input)?
            .set(Kind::Output, output)
    }

    /// Counts a kind so many times, to six decimals.
    ///
    /// # Errors
    ///
    /// Refuses what is not from 0 to [`MAX`](Self::MAX).
    pub fn set(self, kind: Kind, weight: f64) -> Result<Self, WeightError> {
        let set = self.set_within(kind, weight, Self::MAX);
        set.ok_or(WeightError { kind, weight })
    }

    /// The same, up to another weight.
    pub(super) fn set_within(mut self, kind: Kind, weight: f64, most: f64) -> Option<Self> {
        if !(0.0..=most).contains(&weight) {
            return None;
        }
        if let Some(own) = self.own.get_mut(kind as usize) {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "from 0 to 10¹⁵"
            )]
            let millionths = (weight * ONE as f64).round() as u64;
            *own = Some(millionths);
        }
        Some(self)
    }

    /// What a usage comes to.
    #[must_use]
    pub fn weigh(&self, usage: &Usage) -> u64 {
        let millionths = [Kind::Input, Kind::Output]
            .map(|whole| self.weigh_whole(usage, whole))
            .into_iter()
            .fold(0, u128::saturating_add);
        u64::try_from(millionths.div_ceil(u128::from(ONE))).unwrap_or(u64::MAX)
    }

    /// The most that so much input and output can come to, whatever their parts turn out to be.
    pub(super) fn weigh_most(&self, input: u64, output: u64) -> u64 {
        let most = |whole: Kind, count: u64| {
            let kinds = Kind::ALL.iter().copied();
            let parts = kinds.filter(|kind| *kind == whole || whole_of(*kind) == Some(whole));
            let weight = parts.filter_map(|kind| self.own(kind)).max();
            u128::from(count) * u128::from(weight.unwrap_or(ONE))
        };
        let millionths = most(Kind::Input, input) + most(Kind::Output, output);
        u64::try_from(millionths.div_ceil(u128::from(ONE))).unwrap_or(u64::MAX)
    }

    fn weigh_whole(&self, usage: &Usage, whole: Kind) -> u128 {
        let mut rest = usage.get(whole).unwrap_or_default();
        let mut sum = 0;
        for (part, count) in usage
            .iter()
            .filter(|(kind, _)| whole_of(*kind) == Some(whole))
        {
            if let Some(weight) = self.own(part) {
                // A provider may report more of a part than of the whole.
                rest = rest.saturating_sub(count);
                sum += u128::from(count) * u128::from(weight);
            }
        }
        sum + u128::from(rest) * u128::from(self.own(whole).unwrap_or(ONE))
    }

    fn own(&self, kind: Kind) -> Option<u64> {
        self.own.get(kind as usize).copied().flatten()
    }
}

/// What a kind is part of.
fn whole_of(kind: Kind) -> Option<Kind> {
    match kind {
        Kind::CachedInput
        | Kind::CacheWrite
        | Kind::InputAudio
        | Kind::InputImage
        | Kind::ToolInput => Some(Kind::Input),
        Kind::Reasoning
        | Kind::OutputAudio
        | Kind::OutputImage
        | Kind::AcceptedPrediction
        | Kind::RejectedPrediction => Some(Kind::Output),
        _ => None,
    }
}

/// A weight that no token can have.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct WeightError {
    /// Whose weight it was to be.
    pub kind: Kind,
    /// What it was to be.
    pub weight: f64,
}

impl fmt::Display for WeightError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, weight } = self;
        write!(
            f,
            "the weight of `{kind}` is from 0 to {}, not {weight}",
            Weights::MAX
        )
    }
}

impl Error for WeightError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn usage(counts: &[(Kind, u64)]) -> Usage {
        counts.iter().copied().collect()
    }

    #[test]
    fn every_part_belongs_to_a_whole() {
        for &kind in Kind::ALL {
            let whole = matches!(kind, Kind::Input | Kind::Output);
            assert_eq!(whole_of(kind).is_none(), whole, "{kind}");
        }
    }

    #[test]
    fn a_part_with_a_weight_is_taken_out_of_its_whole() {
        let weights = Weights::default().set(Kind::Reasoning, 0.0).unwrap();
        let used = usage(&[(Kind::Input, 10), (Kind::Output, 30), (Kind::Reasoning, 25)]);
        assert_eq!(weights.weigh(&used), 15);
        // A whole that was not reported, and a part that is more than it.
        let odd = usage(&[(Kind::Output, 3), (Kind::Reasoning, 25)]);
        assert_eq!(weights.weigh(&odd), 0);
        assert_eq!(Weights::default().weigh(&usage(&[])), 0);
    }

    #[test]
    fn sums_are_rounded_up_and_do_not_overflow() {
        let weights = Weights::default().set(Kind::Input, 0.001).unwrap();
        assert_eq!(weights.weigh(&usage(&[(Kind::Input, 1)])), 1);
        assert_eq!(weights.weigh(&usage(&[(Kind::Input, 1001)])), 2);
        let most = Weights::default().set(Kind::Output, Weights::MAX).unwrap();
        let used = usage(&[(Kind::Input, u64::MAX), (Kind::Output, u64::MAX)]);
        assert_eq!(most.weigh(&used), u64::MAX);
    }

    #[test]
    fn the_most_that_can_come_is_by_the_greatest_weight_of_a_part() {
        let weights = Weights::default().set(Kind::Reasoning, 4.0).unwrap();
        let weights = weights.set(Kind::CachedInput, 0.1).unwrap();
        assert_eq!(weights.weigh_most(100, 50), 100 + 200);
        assert_eq!(weights.weigh_most(u64::MAX, u64::MAX), u64::MAX);
    }

    #[test]
    fn weights_are_numbers_in_their_range() {
        for bad in [-0.1, 1000.1, f64::NAN, f64::INFINITY] {
            let error = Weights::default().set(Kind::Input, bad).unwrap_err();
            assert!(
                error
                    .to_string()
                    .starts_with("the weight of `input` is from 0 to 1000")
            );
        }
    }
}
