use std::sync::{
    Arc,
    atomic::{AtomicU8, Ordering},
};

use aigw_core::call::Call;

use super::{
    encoding::Encoding,
    memo::{Key, Memo, PartCount},
    tokens::Tokens,
};
use crate::tokens::{
    Basis, Count,
    prompt::{self, Recipe, Tally},
};

/// What the clones of an [`Exact`](super::Exact) share.
#[derive(Debug)]
pub(super) struct Shared {
    memo: Memo,
    /// The bits of the vocabularies that have been loaded.
    // Relaxed: it says only how long counting will take; the vocabulary synchronizes itself.
    loaded: AtomicU8,
}

impl Shared {
    pub(super) fn new(messages: usize) -> Self {
        Self {
            memo: Memo::new(messages),
            loaded: AtomicU8::new(0),
        }
    }

    pub(super) fn load(&self, encoding: Encoding) {
        encoding.vocabulary();
        self.loaded.fetch_or(encoding.bit(), Ordering::Relaxed);
    }

    pub(super) fn has_loaded(&self, encoding: Encoding) -> bool {
        self.loaded.load(Ordering::Relaxed) & encoding.bit() != 0
    }
}

/// A prompt of which it is known what has been counted before.
pub(super) struct Begun {
    shared: Arc<Shared>,
    call: Arc<Call>,
    recipe: Recipe,
    encoding: Encoding,
    /// In the order of the call's parts.
    parts: Vec<(Key, Option<PartCount>)>,
    /// How many bytes of JSON are still to be counted.
    pub(super) left: usize,
}

impl Begun {
    pub(super) fn new(
        shared: &Arc<Shared>,
        call: &Arc<Call>,
        recipe: Recipe,
        encoding: Encoding,
    ) -> Self {
        let memo = &shared.memo;
        let keys: Vec<_> = call
            .parts()
            .iter()
            .map(|part| memo.key(call.json(part), part.kind, &recipe, encoding))
            .collect();
        let known = memo.get(keys.iter().copied());
        let parts: Vec<_> = keys.into_iter().zip(known).collect();
        let unknown = parts.iter().zip(call.parts());
        let left = unknown
            .filter(|((_, count), _)| count.is_none())
            .map(|(_, part)| part.span.len())
            .fold(0, usize::saturating_add);
        Self {
            shared: Arc::clone(shared),
            call: Arc::clone(call),
            recipe,
            encoding,
            parts,
            left,
        }
    }

    pub(super) fn finish(self) -> Count {
        let Self {
            shared,
            call,
            recipe,
            encoding,
            parts,
            ..
        } = self;
        let mut around = Tally::new(());
        prompt::around(&call, &recipe, &mut around);
        let (mut tokens, mut assumed) = (around.fixed, around.assumed);
        let mut fresh = Vec::new();
        for ((key, known), part) in parts.into_iter().zip(call.parts()) {
            let count = known.unwrap_or_else(|| {
                shared.load(encoding);
                let mut tally = Tally::new(Tokens::new(encoding));
                prompt::read_part(&call, part, &recipe, &mut tally);
                let count = PartCount {
                    tokens: tally.fixed.saturating_add_unsigned(tally.texts.tokens()),
                    assumed: tally.assumed,
                };
                fresh.push((key, count));
                count
            });
            tokens = tokens.saturating_add(count.tokens);
            assumed |= count.assumed;
        }
        shared.memo.put(fresh.into_iter());
        let basis = match assumed {
            true => Basis::Assumed,
            false => Basis::Counted,
        };
        Count::new(u64::try_from(tokens).unwrap_or_default(), basis)
    }
}
