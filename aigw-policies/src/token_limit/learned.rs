//! How long answers are, model by model: what is to be expected where nobody has said it.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// Lengths of answers that have been seen, by model and by who asked for them: what one caller lets
/// a model write says little of another's.
#[derive(Debug, Default)]
pub(super) struct Learned(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    models: HashMap<Box<str>, OfModel>,
    /// How many lengths there are in all of them.
    count: usize,
}

#[derive(Debug)]
struct OfModel {
    of_all: Lengths,
    of_callers: HashMap<Box<str>, Lengths>,
}

/// Whose answers are meant.
#[derive(Clone, Copy, Debug)]
pub(super) struct Whose<'a> {
    pub(super) model: &'a str,
    pub(super) consumer: Option<&'a str>,
}

impl Learned {
    /// The length that nine of ten answers do not exceed: of the caller's from this model, else of
    /// all callers' from it.
    pub(super) fn length(&self, Whose { model, consumer }: Whose<'_>) -> u64 {
        let known = self.known();
        let Some(model) = known.models.get(model) else {
            return PRIOR;
        };
        let own = consumer.and_then(|consumer| model.of_callers.get(consumer));
        own.unwrap_or(&model.of_all).quantile()
    }

    /// Notes the length of an answer.
    pub(super) fn learn(&self, Whose { model, consumer }: Whose<'_>, length: u64) {
        let known = &mut *self.known();
        let model = match known.models.get_mut(model) {
            Some(model) => model,
            // The names of models are the callers' to make up: hence the bound.
            None if known.count >= MAX_KNOWN => return,
            None => {
                known.count += 1;
                known.models.entry(model.into()).or_insert_with(|| OfModel {
                    of_all: Lengths::of(PRIOR),
                    of_callers: HashMap::new(),
                })
            }
        };
        if let Some(consumer) = consumer {
            match model.of_callers.get_mut(consumer) {
                Some(own) => own.note(length),
                None if known.count >= MAX_KNOWN => {}
                None => {
                    known.count += 1;
                    // What a caller is at first taken for is what all are.
                    let mut own = Lengths::of(model.of_all.quantile());
                    own.note(length);
                    model.of_callers.insert(consumer.into(), own);
                }
            }
        }
        model.of_all.note(length);
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Models, and pairs of model and caller, of which lengths are known. Others are taken for what is
/// known of the model, or of none.
const MAX_KNOWN: usize = 10_000;

/// How many answers had a length of each magnitude, the older ones counting less.
#[derive(Clone, Debug)]
struct Lengths {
    /// Lengths of 2^(n/4) up to 2^((n+1)/4), so that a bound is at most a fifth too long.
    seen: [u16; MAGNITUDES],
    total: u16,
}

/// Up to a million tokens.
const MAGNITUDES: usize = 4 * 20;

/// When half of what was seen is forgotten.
const MEMORY: u16 = 512;

/// What an answer is taken for that nothing is known of: most are shorter.
const PRIOR: u64 = 1024;

impl Lengths {
    /// What is expected before anything is known. It counts as one answer of this length, and so
    /// until ten were seen.
    fn of(expected: u64) -> Self {
        let mut lengths = Self {
            seen: [0; MAGNITUDES],
            total: 0,
        };
        lengths.add(expected);
        lengths
    }

    fn note(&mut self, length: u64) {
        if self.total >= MEMORY {
            self.seen.iter_mut().for_each(|seen| *seen /= 2);
            self.total = self.seen.iter().sum();
        }
        self.add(length);
    }

    fn add(&mut self, length: u64) {
        if let Some(seen) = self.seen.get_mut(magnitude(length)) {
            *seen += 1;
            self.total += 1;
        }
    }

    /// The upper bound of the magnitude in which the ninth tenth ends.
    fn quantile(&self) -> u64 {
        let tenth = u32::from(self.total.div_ceil(10));
        let mut above = 0;
        let found = self.seen.iter().rposition(|seen| {
            above += u32::from(*seen);
            above >= tenth
        });
        bound(found.unwrap_or_default())
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a logarithm of a length is small and positive"
)]
fn magnitude(length: u64) -> usize {
    let quarters = (length.max(1) as f64).log2() * 4.0;
    (quarters.ceil() as usize)
        .saturating_sub(1)
        .min(MAGNITUDES - 1)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "at most a million"
)]
fn bound(magnitude: usize) -> u64 {
    ((magnitude + 1) as f64 / 4.0).exp2().floor() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_is_not_below_what_it_bounds_nor_far_above() {
        for length in (1..100_000_u64).step_by(7) {
            let bound = bound(magnitude(length));
            assert!(bound >= length, "{length}: {bound}");
            assert!(
                bound as f64 <= length as f64 * 1.2 + 1.0,
                "{length}: {bound}"
            );
        }
        assert_eq!(magnitude(u64::MAX), MAGNITUDES - 1);
    }

    fn of(model: &str) -> Whose<'_> {
        let consumer = None;
        Whose { model, consumer }
    }

    #[test]
    fn it_comes_from_the_prior_to_what_is_seen() {
        let learned = Learned::default();
        assert_eq!(learned.length(of("m")), PRIOR);
        for call in 0..200 {
            learned.learn(of("m"), 50 + call % 100);
        }
        let length = learned.length(of("m"));
        assert!((140..180).contains(&length), "{length}");
        // Another model is another matter.
        assert!(learned.length(of("n")) >= 1024);
    }

    #[test]
    fn what_one_caller_is_used_to_says_nothing_of_one_that_is_known() {
        let learned = Learned::default();
        let (model, brief) = ("m", Some("brief"));
        for _ in 0..50 {
            let consumer = brief;
            learned.learn(Whose { model, consumer }, 10);
            let consumer = Some("long");
            learned.learn(Whose { model, consumer }, 6000);
        }
        let length = |consumer| learned.length(Whose { model, consumer });
        assert!(length(brief) < 20 && length(Some("long")) >= 6000);
        // Of one that is not known, only what all do is.
        assert!(length(Some("new")) >= 6000);
    }

    #[test]
    fn ten_answers_tell_more_than_what_was_expected() {
        let learned = Learned::default();
        for _ in 0..9 {
            learned.learn(of("m"), 20);
        }
        assert_eq!(learned.length(of("m")), PRIOR);
        learned.learn(of("m"), 20);
        assert!(learned.length(of("m")) < 25);
        // A caller who is new is expected to be like the others, and not like nobody.
        let consumer = Some("new");
        let new = Whose {
            consumer,
            ..of("m")
        };
        learned.learn(new, 10);
        assert!(learned.length(new) < 25);
    }

    #[test]
    fn what_changes_is_followed() {
        let learned = Learned::default();
        for _ in 0..5000 {
            learned.learn(of("m"), 100);
        }
        for _ in 0..300 {
            learned.learn(of("m"), 4000);
        }
        assert!(learned.length(of("m")) >= 4000);
    }

    #[test]
    fn made_up_models_do_not_grow_what_is_known() {
        let learned = Learned::default();
        for model in 0..2 * MAX_KNOWN {
            learned.learn(of(&model.to_string()), 10);
        }
        assert!(learned.known().models.len() <= MAX_KNOWN);
        assert!(learned.length(of("19999")) >= 1024);
    }
}
