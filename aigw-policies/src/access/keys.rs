use std::{
    collections::{HashMap, HashSet},
    fmt,
    sync::Arc,
};

use aigw_core::key::Consumer;

use super::{
    ConfigError, ConsumerConfig, State,
    error::Flaw,
    key::{self, Digest},
};

/// Who holds which key.
#[derive(Clone)]
pub(super) struct Keys(HashMap<Digest, Holder>);

/// One who holds a key.
#[derive(Clone, Debug)]
pub(super) struct Holder {
    pub(super) consumer: Arc<Consumer>,
    pub(super) state: State,
}

impl Keys {
    /// Hands out the keys, each to one consumer.
    pub(super) fn try_new(consumers: Vec<ConsumerConfig>) -> Result<Self, ConfigError> {
        let mut ids = HashSet::new();
        let mut keys = HashMap::new();
        for (index, consumer) in consumers.into_iter().enumerate() {
            let at = |setting: &str, flaw| {
                Err(ConfigError::new(
                    format!("consumer[{index}].{setting}"),
                    flaw,
                ))
            };
            let ConsumerConfig {
                id,
                keys: held,
                labels,
                state,
            } = consumer;
            if id.is_empty() {
                return at("id", Flaw::NoId);
            }
            if !ids.insert(id.clone()) {
                return at("id", Flaw::DuplicateId(id));
            }
            if held.is_empty() {
                return at("keys", Flaw::NoKeys(id));
            }
            let mut consumer = Consumer::new(&*id);
            for (name, value) in labels {
                consumer = consumer.label(name, value);
            }
            let holder = Holder {
                consumer: Arc::new(consumer),
                state,
            };
            for key in held {
                match key.flaw {
                    None => {}
                    Some(key::Flaw::Empty) => return at("keys", Flaw::EmptyKey(id)),
                    Some(key::Flaw::Unsendable) => return at("keys", Flaw::UnsendableKey(id)),
                }
                let other = keys.insert(key.digest, holder.clone());
                if let Some(other) = other.filter(|other| *other.consumer.id != *id) {
                    let other = other.consumer.id.clone().into();
                    return at("keys", Flaw::SharedKey(other, id));
                }
            }
        }
        Ok(Self(keys))
    }

    /// Who holds this key.
    ///
    /// What the search does depends on the digest of what was sent alone, of which nobody can
    /// choose more than a few bits, and on a comparison that takes as long whatever it finds.
    pub(super) fn holder(&self, key: &[u8]) -> Option<&Holder> {
        self.0.get(&Digest::of(key))
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(keys) = self;
        write!(f, "Keys({})", keys.len())
    }
}
