use super::{fast::Features, prompt::Tally};

/// How many tokens a prompt is taken to have, and between which bounds a count of it lies.
///
/// Small and without the prompt, so that it can be kept until the answer has ended and be
/// [settled](super::Estimator::settle).
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[must_use]
pub struct Estimate {
    tokens: u64,
    at_least: u64,
    at_most: u64,
    pub(super) features: Features,
}

/// The longest token of each of OpenAI's public vocabularies, in bytes.
const LONGEST_TOKEN: u64 = 128;

impl Estimate {
    /// An estimate of so many tokens, which is not learnt from; for an
    /// [`Estimator`](super::Estimator) of one's own. The bounds are widened to hold it.
    pub fn new(tokens: u64, at_least: u64, at_most: u64) -> Self {
        Self {
            tokens,
            at_least: at_least.min(tokens),
            at_most: at_most.max(tokens),
            features: Features::default(),
        }
    }

    /// What was read of a prompt, and what it is taken to be. A count of it is the same sum with
    /// the text's tokens in place of its bytes: each is one byte at least.
    pub(super) fn read(tally: &Tally<Features>, tokens: u64) -> Self {
        let bytes = tally.texts.bytes();
        let at_least = tally.sum(bytes.start().div_ceil(LONGEST_TOKEN));
        Self {
            // A run of one sign is a few long tokens, which no weights tell.
            tokens: tokens.max(at_least),
            at_least,
            at_most: tally.sum(*bytes.end()),
            features: tally.texts.with_fixed(tally.fixed),
        }
    }

    /// How many tokens the provider is expected to count. It may be more than
    /// [`at_most`](Self::at_most), where a model was seen to count more than its published recipe.
    #[must_use]
    pub fn tokens(&self) -> u64 {
        self.tokens
    }

    /// No [`count`](super::Estimator::count) of the prompt is less.
    #[must_use]
    pub fn at_least(&self) -> u64 {
        self.at_least
    }

    /// No [`count`](super::Estimator::count) of the prompt is more.
    #[must_use]
    pub fn at_most(&self) -> u64 {
        self.at_most
    }

    /// Estimate ÷ actual: 1 for one that was right. `None` where nothing was counted.
    #[must_use]
    pub fn ratio(&self, actual: u64) -> Option<f64> {
        (actual > 0).then(|| self.tokens as f64 / actual as f64)
    }
}
