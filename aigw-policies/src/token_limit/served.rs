//! Which model answers where another is asked.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// The model that answered last, by the one that was asked.
#[derive(Debug, Default)]
pub(super) struct Served(Mutex<HashMap<Box<str>, Arc<str>>>);

/// How many are known: the names of models are the callers' to make up.
const MAX_KNOWN: usize = 1000;

impl Served {
    /// The model that is expected to answer.
    pub(super) fn by(&self, asked: &str) -> Option<Arc<str>> {
        self.lock().get(asked).cloned()
    }

    pub(super) fn note(&self, asked: &str, served: &str) {
        let mut known = self.lock();
        if let Some(before) = known.get_mut(asked) {
            if **before != *served {
                *before = served.into();
            }
        } else if asked != served && known.len() < MAX_KNOWN {
            known.insert(asked.into(), served.into());
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Box<str>, Arc<str>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_that_answered_is_expected_to() {
        let served = Served::default();
        served.note("m", "m-2024");
        served.note("m", "m-2025");
        assert_eq!(served.by("m").as_deref(), Some("m-2025"));
        assert_eq!(served.by("m-2025"), None);
    }

    #[test]
    fn made_up_names_take_no_more_room() {
        let served = Served::default();
        for name in 0..2 * MAX_KNOWN {
            served.note(&name.to_string(), "m");
        }
        assert_eq!(served.lock().len(), MAX_KNOWN);
        assert!(served.by("0").is_some() && served.by("1999").is_none());
    }
}
