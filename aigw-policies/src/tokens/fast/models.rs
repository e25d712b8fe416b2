use std::collections::HashMap;

use super::{
    features::{self, Features},
    prior::PRIOR,
    regression::{self, Regression},
};
use crate::tokens::Estimate;

/// What is known of each model, bounded.
#[derive(Debug, Default)]
pub(super) struct Models {
    known: HashMap<Box<str>, Model>,
    /// All that came when there was no more room, together.
    others: Option<Model>,
}

/// How many models are learnt apart. Only those are that a provider has answered for, so whoever
/// makes up names does not fill it.
const MODELS: usize = 256;

#[derive(Debug)]
struct Model {
    regression: Regression,
    settled: u64,
    /// The usual error, as a share of the actual count.
    error: f64,
}

/// How well a model's prompts have been estimated of late.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Accuracy {
    /// How many calls were learnt from.
    pub settled: u64,
    /// The mean of |estimate − actual| ÷ actual, the last fifty or so calls weighing most.
    pub error: f64,
}

/// How many calls the mean error looks back.
const MEMORY: f64 = 50.0;

/// How many times more or less than expected a count may be that is believed, and by how many tokens
/// in any case: a provider may add a prompt of its own, for tools say.
const BELIEVED: (f64, f64) = (8.0, 4096.0);

impl Models {
    pub(super) fn predict(&self, model: &str, features: &Features) -> u64 {
        let numbers = features.numbers();
        let expected = regression::expect(&PRIOR, &numbers);
        let tokens = match self.get(model) {
            Some(model) => model.regression.predict(&numbers),
            None => expected,
        };
        // What has been learnt of prose may mislead about what is unlike it.
        let (times, tokens_more) = BELIEVED;
        let (least, most) = (expected / times, expected * times + tokens_more);
        let tokens = tokens.clamp(least, most).round();
        (tokens as u64).max(u64::from(*features.bytes().start() > 0))
    }

    pub(super) fn learn(&mut self, model: &str, estimate: &Estimate, actual: u64) {
        let numbers = estimate.features.numbers();
        let expected = regression::expect(&PRIOR, &numbers);
        let (times, tokens_more) = BELIEVED;
        let tokens = actual as f64;
        if actual == 0 || tokens < expected / times || tokens > expected * times + tokens_more {
            return;
        }
        let error = (estimate.tokens() as f64 - tokens).abs() / tokens;
        self.get_mut(model).learn(&numbers, tokens, error);
    }

    pub(super) fn accuracy(&self, model: &str) -> Option<Accuracy> {
        self.get(model).map(|model| Accuracy {
            settled: model.settled,
            error: model.error,
        })
    }

    fn get(&self, model: &str) -> Option<&Model> {
        self.known.get(model).or(self.others.as_ref())
    }

    fn get_mut(&mut self, model: &str) -> &mut Model {
        if self.known.len() >= MODELS && !self.known.contains_key(model) {
            return self.others.get_or_insert_with(Model::new);
        }
        self.known.entry(model.into()).or_insert_with(Model::new)
    }
}

impl Model {
    fn new() -> Self {
        Self {
            regression: Regression::new(&PRIOR),
            settled: 0,
            error: 0.0,
        }
    }

    fn learn(&mut self, numbers: &[f64; features::COUNT], actual: f64, error: f64) {
        self.regression.learn(numbers, actual);
        self.settled = self.settled.saturating_add(1);
        // A plain mean at first, so that the beginning weighs no more than it should.
        let weight = 1.0 / MEMORY.min(self.settled as f64);
        self.error += (error - self.error) * weight;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tokens::prompt::{Tally, Texts};

    fn estimate(words: usize) -> Estimate {
        let mut tally = Tally::new(Features::default());
        tally.texts.text(&"word ".repeat(words));
        Estimate::read(&tally, words as u64)
    }

    #[test]
    fn made_up_names_take_no_more_room_than_there_is() {
        let mut models = Models::default();
        for name in 0..2 * MODELS {
            models.learn(&name.to_string(), &estimate(100), 100);
        }
        assert_eq!(models.known.len(), MODELS);
        // Those without room are learnt together, and known ones go on.
        assert_eq!(models.accuracy("unheard").unwrap().settled, MODELS as u64);
        models.learn("0", &estimate(100), 100);
        assert_eq!(models.accuracy("0").unwrap().settled, 2);
    }

    #[test]
    fn what_cannot_be_meant_teaches_nothing() {
        let mut models = Models::default();
        for actual in [0, 1, 1_000_000] {
            models.learn("m", &estimate(100), actual);
        }
        assert_eq!(models.accuracy("m"), None);
    }

    #[test]
    fn the_error_is_that_of_late() {
        let mut models = Models::default();
        models.learn("m", &estimate(100), 80);
        assert!((models.accuracy("m").unwrap().error - 0.25).abs() < 1e-9);
        for _ in 0..500 {
            models.learn("m", &estimate(100), 100);
        }
        assert!(models.accuracy("m").unwrap().error < 0.001);
    }
}
