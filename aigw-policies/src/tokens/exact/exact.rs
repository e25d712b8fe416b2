use std::{collections::BTreeMap, sync::Arc};

use aigw_core::call::Call;

use super::{
    begun::{Begun, Shared},
    encoding::Encoding,
};
use crate::tokens::{Counting, Estimate, Estimator, Fast, Work, prompt::Recipe};

/// Counts by the vocabulary of the model, and estimates the models whose vocabulary is not public as
/// [`Fast`] does.
///
/// Known are the models of tiktoken's table, among them every one that begins with `gpt-3.5-turbo-`,
/// `gpt-4-`, `gpt-4o-`, `gpt-4.1-` or `gpt-5`, the `o` series, embeddings and fine-tuned models; all
/// others, an Azure deployment say, by an [`alias`](Self::alias). A name may begin with `openai/`.
/// Clones share what they have counted and learnt.
///
/// # Accuracy
///
/// A text has the tokens that OpenAI's own tokenizer gives it, but for texts of more than 8 KiB
/// without blanks, which may be counted a token or two too high for each 8 KiB. What stands around
/// texts is that of OpenAI's published recipes, which it calls estimates: framing, functions, images
/// and sound. The rest is [assumed](super::super::Basis::Assumed).
///
/// # Deployment
///
/// Give the limiter an [offload](crate::token_limit::TokenLimitLayer::offload), or
/// [load](Self::load) the vocabularies at the start: without either it estimates as [`Fast`] does.
///
/// # Cost
///
/// Counting takes some 90 ns a byte in prose and 350 at worst; an estimate, 4 ns. What has been
/// counted before, message by message, takes 1 ns a byte. A vocabulary is loaded once a process, when
/// first needed, and stays: `o200k_base` takes 150 to 300 ms and 67 MB, `cl100k_base` half of both;
/// [`load`](Self::load) does it ahead. The example `tokens` of this crate measures all of it.
#[derive(Clone, Debug)]
pub struct Exact {
    shared: Arc<Shared>,
    aliases: Arc<BTreeMap<Box<str>, Box<str>>>,
    fast: Fast,
    max_bytes: usize,
}

impl Default for Exact {
    fn default() -> Self {
        Self::new()
    }
}

impl Exact {
    /// The default of [`memo`](Self::memo): some thousand conversations, in two megabytes.
    pub const DEFAULT_MEMO: usize = 1 << 15;

    /// The default of [`max_bytes`](Self::max_bytes): a million tokens of prose, as many as the
    /// largest models read.
    pub const DEFAULT_MAX_BYTES: usize = 4 << 20;

    /// The most bytes that are counted at once on the reactor: in prose about half a millisecond,
    /// three times that at worst.
    const INLINE: usize = 4 << 10;

    /// The most bytes that are looked up on the reactor, which takes as long.
    const LOOK_UP: usize = 512 << 10;

    /// Knows every model of tiktoken's table.
    #[must_use]
    pub fn new() -> Self {
        Self {
            shared: Arc::new(Shared::new(Self::DEFAULT_MEMO)),
            aliases: Arc::default(),
            fast: Fast::new(),
            max_bytes: Self::DEFAULT_MAX_BYTES,
        }
    }

    /// Remembers so many messages, at some 70 bytes each, in place of 32,768; zero remembers none.
    /// What was remembered is forgotten.
    #[must_use]
    pub fn memo(mut self, messages: usize) -> Self {
        self.shared = Arc::new(Shared::new(messages));
        self
    }

    /// Counts no prompt of more JSON than this, in place of 4 MiB: its estimate stands. So the work
    /// of one call is bounded: a second and a half at worst.
    #[must_use]
    pub fn max_bytes(mut self, bytes: usize) -> Self {
        self.max_bytes = bytes;
        self
    }

    /// Counts the prompts of one model, as callers name it, like those of another.
    #[must_use]
    pub fn alias(mut self, name: &str, model: &str) -> Self {
        Arc::make_mut(&mut self.aliases).insert(name.into(), model.into());
        self
    }

    /// Loads a model's vocabulary, which blocks this thread while nobody has; `false` where none is
    /// known.
    #[must_use = "a name that is not known is not counted"]
    pub fn load(&self, model: &str) -> bool {
        let encoding = Encoding::of(self.resolve(model));
        if let Some(encoding) = encoding {
            self.shared.load(encoding);
        }
        encoding.is_some()
    }

    /// What has been learnt of the models.
    #[must_use]
    pub fn fast(&self) -> &Fast {
        &self.fast
    }

    fn resolve<'a>(&'a self, model: &'a str) -> &'a str {
        let model = self.aliases.get(model).map_or(model, AsRef::as_ref);
        model.strip_prefix("openai/").unwrap_or(model)
    }
}

impl Estimator for Exact {
    fn estimate(&self, call: &Call) -> Estimate {
        let model = self.resolve(call.model().unwrap_or_default());
        self.fast.estimate_as(call, model)
    }

    fn count(&self, call: &Arc<Call>) -> Counting {
        let model = self.resolve(call.model().unwrap_or_default());
        let Some(encoding) = Encoding::of(model) else {
            return Counting::Unknown;
        };
        let bytes = call.parts().iter().map(|part| part.span.len());
        let bytes = bytes.fold(0, usize::saturating_add);
        if bytes == 0 || bytes > self.max_bytes {
            return Counting::Unknown;
        }
        let recipe = Recipe::new(call, model);
        let (shared, long) = (Arc::clone(&self.shared), Arc::clone(call));
        if bytes > Self::LOOK_UP {
            let count = move || Begun::new(&shared, &long, recipe, encoding).finish();
            return Counting::Long(Work::new(count));
        }
        let begun = Begun::new(&shared, call, recipe, encoding);
        if begun.left <= Self::INLINE && self.shared.has_loaded(encoding) {
            return Counting::Counted(begun.finish());
        }
        Counting::Long(Work::new(move || begun.finish()))
    }

    fn settle(&self, call: &Call, estimate: &Estimate, actual: u64) {
        let model = self.resolve(call.model().unwrap_or_default());
        self.fast.settle_as(model, estimate, actual);
    }
}
