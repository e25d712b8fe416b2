use tiktoken_rs::{
    CoreBPE, cl100k_base_singleton, o200k_base_singleton, p50k_base_singleton, r50k_base_singleton,
    tokenizer::{Tokenizer, get_tokenizer},
};

use super::cut;

/// A vocabulary of OpenAI's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub(super) enum Encoding {
    O200k,
    Cl100k,
    P50k,
    R50k,
}

impl Encoding {
    /// That of a model, by tiktoken's table of names and beginnings of names.
    pub(super) fn of(model: &str) -> Option<Self> {
        Some(match get_tokenizer(model)? {
            // They differ in their special tokens, of which no text has any.
            Tokenizer::O200kBase | Tokenizer::O200kHarmony => Self::O200k,
            Tokenizer::Cl100kBase => Self::Cl100k,
            Tokenizer::P50kBase | Tokenizer::P50kEdit => Self::P50k,
            Tokenizer::R50kBase | Tokenizer::Gpt2 => Self::R50k,
        })
    }

    /// How many tokens a text has. What looks like a special token is text.
    pub(super) fn count(self, text: &str) -> u64 {
        let vocabulary = self.vocabulary();
        let counts = cut::pieces(text).map(|piece| vocabulary.count_ordinary(piece) as u64);
        counts.sum()
    }

    /// Loads it, if nobody has. It stays for as long as the process runs.
    pub(super) fn vocabulary(self) -> &'static CoreBPE {
        match self {
            Self::O200k => o200k_base_singleton(),
            Self::Cl100k => cl100k_base_singleton(),
            Self::P50k => p50k_base_singleton(),
            Self::R50k => r50k_base_singleton(),
        }
    }

    /// Its bit in a set of them.
    pub(super) fn bit(self) -> u8 {
        1 << self as u8
    }
}
