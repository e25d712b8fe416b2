use super::encoding::Encoding;
use crate::tokens::prompt::Texts;

/// Counts texts by one vocabulary.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tokens {
    encoding: Encoding,
    tokens: u64,
}

impl Tokens {
    pub(super) fn new(encoding: Encoding) -> Self {
        Self {
            encoding,
            tokens: 0,
        }
    }

    pub(super) fn tokens(self) -> u64 {
        self.tokens
    }
}

impl Texts for Tokens {
    fn text(&mut self, text: &str) {
        let tokens = self.encoding.count(text);
        self.tokens = self.tokens.saturating_add(tokens);
    }
}
