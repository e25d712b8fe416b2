use super::{json::Unexpected, string::Raw};

/// Takes the texts of a prompt.
pub(in crate::tokens) trait Texts: Clone {
    /// Takes one text, which is tokenized by itself.
    fn text(&mut self, text: &str);

    /// Takes one as it is written in JSON.
    fn raw(&mut self, text: Raw<'_>) -> Result<(), Unexpected> {
        self.text(&text.decode()?);
        Ok(())
    }
}

/// What a prompt comes to.
#[derive(Clone, Copy, Debug)]
pub(in crate::tokens) struct Tally<T> {
    pub(in crate::tokens) texts: T,
    /// Tokens that are not text: framing, images, audio. The published recipe for tools takes some
    /// away again, so it may fall below zero on the way.
    pub(in crate::tokens) fixed: i64,
    /// Whether something was taken to be of its usual size.
    pub(in crate::tokens) assumed: bool,
}

impl<T> Tally<T> {
    pub(in crate::tokens) fn new(texts: T) -> Self {
        Self {
            texts,
            fixed: 0,
            assumed: false,
        }
    }

    /// The sum with this much for the texts.
    pub(in crate::tokens) fn sum(&self, texts: u64) -> u64 {
        texts.saturating_add_signed(self.fixed)
    }

    pub(super) fn add(&mut self, tokens: u64) {
        let tokens = i64::try_from(tokens).unwrap_or(i64::MAX);
        self.fixed = self.fixed.saturating_add(tokens);
    }
}

impl<T: Texts> Tally<T> {
    pub(super) fn raw(&mut self, text: Raw<'_>) -> Result<(), Unexpected> {
        if text.is_empty() {
            return Ok(());
        }
        self.texts.raw(text)
    }

    pub(super) fn text(&mut self, text: &str) {
        if !text.is_empty() {
            self.texts.text(text);
        }
    }
}
