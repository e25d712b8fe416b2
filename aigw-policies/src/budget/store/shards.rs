//! What is kept by key: behind many locks, and by hash.

use std::{
    collections::HashMap,
    hash::{BuildHasher, BuildHasherDefault, Hash, Hasher, RandomState},
    sync::{Mutex, MutexGuard, PoisonError},
};

/// Shards with a lock each. A key is always in the same.
pub(crate) struct Shards<S> {
    // Never empty, and so in two pieces.
    first: Mutex<S>,
    others: Vec<Mutex<S>>,
    /// Two, so that 128 bits tell keys apart: who makes up keys does not know the seeds.
    hashers: [RandomState; 2],
}

/// The hash of a key or of a budget's name: so wide that no two are the same.
// Not an `u128`, whose alignment would make each entry larger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Id(pub(crate) [u64; 2]);

/// A map by ids.
pub(crate) type IdMap<V> = HashMap<Id, V, BuildHasherDefault<Hashed>>;

/// Which shard a key is in.
pub(crate) struct Place<'s, S> {
    pub(crate) shard: &'s Mutex<S>,
    pub(crate) number: usize,
}

/// More than there are cores, so that two calls rarely meet.
const SHARDS: usize = 64;

impl<S> Shards<S> {
    /// Shards with room for about so many keys together, each made for its part of them.
    pub(crate) fn new(max_keys: usize, make: impl Fn(usize) -> S) -> Self {
        let shards = SHARDS.min(max_keys.max(1));
        let capacity = max_keys.max(1).div_ceil(shards);
        let shard = || Mutex::new(make(capacity));
        Self {
            first: shard(),
            others: std::iter::repeat_with(shard).take(shards - 1).collect(),
            hashers: [RandomState::new(), RandomState::new()],
        }
    }

    pub(crate) fn id(&self, text: &str) -> Id {
        Id(self.hashers.each_ref().map(|hasher| hasher.hash_one(text)))
    }

    pub(crate) fn place(&self, Id([high, _]): Id) -> Place<'_, S> {
        let number = high as usize % (self.others.len() + 1);
        Place {
            shard: self.others.get(number).unwrap_or(&self.first),
            number,
        }
    }

    /// Does something with each shard, locked one after the other.
    pub(crate) fn each(&self, act: impl FnMut(MutexGuard<'_, S>)) {
        let shards = std::iter::once(&self.first).chain(&self.others);
        shards.map(lock).for_each(act);
    }

    /// The sum over all shards.
    pub(crate) fn sum(&self, of: impl Fn(&S) -> usize) -> usize {
        let mut sum = 0;
        self.each(|shard| sum += of(&shard));
        sum
    }
}

impl<S> Clone for Place<'_, S> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<S> Copy for Place<'_, S> {}

/// No code behind a lock panics, and if it did, each level would be whole.
pub(crate) fn lock<S>(shard: &Mutex<S>) -> MutexGuard<'_, S> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Hash for Id {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let Self([_, low]) = self;
        state.write_u64(*low);
    }
}

/// Ids are hashes already.
#[derive(Default)]
pub(crate) struct Hashed(u64);

impl Hasher for Hashed {
    fn write_u64(&mut self, id: u64) {
        self.0 = id;
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn finish(&self) -> u64 {
        self.0
    }
}
