//! Learns weights of features one example at a time: least squares, recursively, on relative errors.

use fearless_simd::{Level, dispatch};

use super::features::COUNT;

type Vector = [f64; COUNT];

/// Weights, and how sure they are.
#[derive(Clone, Debug)]
pub(super) struct Regression {
    weights: Vector,
    /// The covariance of the weights, in units of [`NOISE`].
    covariance: Box<[Vector; COUNT]>,
    prior: &'static [Weight; COUNT],
}

/// What a weight is before anything was learnt, and how far off it may well be.
#[derive(Clone, Copy, Debug)]
pub(super) struct Weight {
    pub(super) value: f64,
    pub(super) doubt: f64,
}

/// How much of a count no weights explain: about so much is the standard deviation of a relative
/// error that is left.
const NOISE: f64 = 0.06;

/// The most that one example may be off and still be believed in full. Beyond it counts as this
/// much, so that a provider that miscounts once moves little.
const SURPRISE: f64 = 0.3;

/// How much of its first doubt each example gives back to a weight, so that a model which changes is
/// learnt anew: one that counts twice as much, within some thousand calls. More would make small
/// prompts, whose every token is several percent, pass on their chance.
const DRIFT: f64 = 3e-5;

impl Regression {
    pub(super) fn new(prior: &'static [Weight; COUNT]) -> Self {
        let mut covariance = Box::new([[0.0; COUNT]; COUNT]);
        for (place, (row, weight)) in covariance.iter_mut().zip(prior).enumerate() {
            if let Some(cell) = row.get_mut(place) {
                *cell = first_doubt(weight);
            }
        }
        Self {
            weights: prior.map(|weight| weight.value),
            covariance,
            prior,
        }
    }

    pub(super) fn predict(&self, features: &Vector) -> f64 {
        dot(&self.weights, features)
    }

    /// Learns that these features were so many tokens.
    pub(super) fn learn(&mut self, features: &Vector, actual: f64) {
        dispatch!(Level::new(), _ => self.learn_in_lanes(features, actual));
    }

    #[inline(always)]
    fn learn_in_lanes(&mut self, features: &Vector, actual: f64) {
        // In shares of the actual count: an error of a tenth is as bad in a small prompt.
        let shares = features.map(|feature| feature / actual);
        let error = (1.0 - dot(&self.weights, &shares)).clamp(-SURPRISE, SURPRISE);
        // Row by row, for it is the same as column by column, and many numbers at once.
        let mut spread = [0.0; COUNT];
        for (row, share) in self.covariance.iter().zip(&shares) {
            for (sum, cell) in spread.iter_mut().zip(row) {
                *sum += cell * share;
            }
        }
        let scale = 1.0 + dot(&spread, &shares);
        for (weight, spread) in self.weights.iter_mut().zip(&spread) {
            *weight += spread / scale * error;
        }
        let root = scale.sqrt();
        let step = spread.map(|spread| spread / root);
        let rows = self.covariance.iter_mut().zip(&step).zip(self.prior);
        for (place, ((row, down), prior)) in rows.enumerate() {
            for (cell, across) in row.iter_mut().zip(&step) {
                *cell -= down * across;
            }
            if let Some(cell) = row.get_mut(place) {
                // Rounding must not leave a doubt below zero, nor drift lift it above its first.
                let first = first_doubt(prior);
                *cell = (cell.max(0.0) + DRIFT * first).min(first);
            }
        }
    }
}

/// What the features are by their first weights, at least nothing.
pub(super) fn expect(prior: &[Weight; COUNT], features: &Vector) -> f64 {
    dot(&prior.each_ref().map(|weight| weight.value), features).max(0.0)
}

fn first_doubt(weight: &Weight) -> f64 {
    (weight.doubt / NOISE).powi(2)
}

fn dot(a: &Vector, b: &Vector) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tokens::fast::prior::PRIOR;

    /// Features that vary, and are the same each time.
    fn features(turn: u64) -> Vector {
        let mut numbers = [1.0; COUNT];
        for (place, number) in (0_u64..).zip(&mut numbers) {
            let mixed = (turn * 31 + place * 17).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
            *number = (mixed % 400) as f64;
        }
        numbers
    }

    #[test]
    fn weights_that_are_not_the_first_are_found() {
        let mut regression = Regression::new(&PRIOR);
        let truth = |numbers: &Vector| 1.7 * expect(&PRIOR, numbers) + 100.0;
        for turn in 0..300 {
            regression.learn(&features(turn), truth(&features(turn)));
        }
        for turn in 300..400 {
            let numbers = features(turn);
            let ratio = regression.predict(&numbers) / truth(&numbers);
            assert!((ratio - 1.0).abs() < 0.05, "{ratio}");
        }
    }

    #[test]
    fn it_stays_sound_however_much_it_learns_and_learns_anew() {
        let mut regression = Regression::new(&PRIOR);
        let numbers = |turn: u64| features(turn % 50);
        for turn in 0..30_000 {
            regression.learn(&numbers(turn), expect(&PRIOR, &numbers(turn)));
        }
        for turn in 0..3_000 {
            regression.learn(&numbers(turn), 2.0 * expect(&PRIOR, &numbers(turn)));
        }
        for turn in 0..50 {
            let ratio = regression.predict(&numbers(turn)) / expect(&PRIOR, &numbers(turn));
            assert!((1.85..2.15).contains(&ratio), "{ratio}");
        }
    }
}
