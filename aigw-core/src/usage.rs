//! What a call used, by kind of token, in one normal form for all dialects.
//!
//! Providers disagree on whether cached tokens are part of the input count and whether thinking is
//! part of the output count. Here `input` and `output` are always the whole, and every other kind
//! is a part of one of them:
//!
//! ```text
//! input  ⊇ cached_input, cache_write, input_audio, input_image, tool_input
//! output ⊇ reasoning, output_audio, output_image, accepted_prediction, rejected_prediction
//! ```
//!
//! A kind that was not reported is `None`, which is not zero.
//!
//! # Examples
//!
//! ```
//! use aigw_core::usage::{Kind, Usage};
//!
//! let mut usage = Usage::default();
//! usage.set(Kind::Input, 12);
//! usage.set(Kind::Output, 30);
//! assert_eq!(usage.get(Kind::Reasoning), None);
//! assert_eq!(usage.total(), Some(42));
//! ```

use std::fmt;

/// A kind of token that providers count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
#[repr(u8)]
pub enum Kind {
    /// Everything the model read, cached or not.
    Input,
    /// Input that the provider served from its prompt cache.
    CachedInput,
    /// Input that the provider wrote to its prompt cache.
    CacheWrite,
    /// Input that was audio.
    InputAudio,
    /// Input that was images.
    InputImage,
    /// Input that the provider's own tools fed back to the model.
    ToolInput,
    /// Everything the model wrote, thinking included.
    Output,
    /// Output that was thinking.
    Reasoning,
    /// Output that was audio.
    OutputAudio,
    /// Output that was images.
    OutputImage,
    /// Predicted output that appeared in the answer.
    AcceptedPrediction,
    /// Predicted output that did not appear, and is charged all the same.
    RejectedPrediction,
}

impl Kind {
    /// Every kind, in declaration order.
    pub const ALL: &[Self] = &[
        Self::Input,
        Self::CachedInput,
        Self::CacheWrite,
        Self::InputAudio,
        Self::InputImage,
        Self::ToolInput,
        Self::Output,
        Self::Reasoning,
        Self::OutputAudio,
        Self::OutputImage,
        Self::AcceptedPrediction,
        Self::RejectedPrediction,
    ];

    /// The name in snake case, as logs and metrics spell it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Input => "input",
            Self::CachedInput => "cached_input",
            Self::CacheWrite => "cache_write",
            Self::InputAudio => "input_audio",
            Self::InputImage => "input_image",
            Self::ToolInput => "tool_input",
            Self::Output => "output",
            Self::Reasoning => "reasoning",
            Self::OutputAudio => "output_audio",
            Self::OutputImage => "output_image",
            Self::AcceptedPrediction => "accepted_prediction",
            Self::RejectedPrediction => "rejected_prediction",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Token counts by [`Kind`]. Unreported kinds are absent.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    counts: [u64; Kind::ALL.len()],
    known: u16,
}

impl Usage {
    /// The count of one kind, if it was reported.
    #[must_use]
    pub fn get(&self, kind: Kind) -> Option<u64> {
        let count = self.counts.get(kind as usize).copied()?;
        (self.known & (1 << kind as u16) != 0).then_some(count)
    }

    /// States the count of one kind, replacing an earlier statement.
    pub fn set(&mut self, kind: Kind, count: u64) {
        if let Some(slot) = self.counts.get_mut(kind as usize) {
            *slot = count;
            self.known |= 1 << kind as u16;
        }
    }

    /// [`Kind::Input`].
    #[must_use]
    pub fn input(&self) -> Option<u64> {
        self.get(Kind::Input)
    }

    /// [`Kind::Output`].
    #[must_use]
    pub fn output(&self) -> Option<u64> {
        self.get(Kind::Output)
    }

    /// Input plus output; `None` when neither is known. Saturates.
    #[must_use]
    pub fn total(&self) -> Option<u64> {
        match (self.input(), self.output()) {
            (None, None) => None,
            (input, output) => Some(input.unwrap_or(0).saturating_add(output.unwrap_or(0))),
        }
    }

    /// Whether nothing at all was reported.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.known == 0
    }

    /// The reported kinds with their counts.
    pub fn iter(&self) -> impl Iterator<Item = (Kind, u64)> + '_ {
        Kind::ALL
            .iter()
            .filter_map(|kind| Some((*kind, self.get(*kind)?)))
    }
}

impl fmt::Debug for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map()
            .entries(self.iter().map(|(kind, count)| (kind.as_str(), count)))
            .finish()
    }
}

impl Extend<(Kind, u64)> for Usage {
    fn extend<I: IntoIterator<Item = (Kind, u64)>>(&mut self, counts: I) {
        for (kind, count) in counts {
            self.set(kind, count);
        }
    }
}

impl FromIterator<(Kind, u64)> for Usage {
    fn from_iter<I: IntoIterator<Item = (Kind, u64)>>(counts: I) -> Self {
        let mut usage = Self::default();
        usage.extend(counts);
        usage
    }
}

/// How the counts of a call came to be known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Source {
    /// The provider stated them.
    Reported,
    /// The provider stated nothing; the output was counted from the content that passed, the input
    /// is unknown here.
    Counted,
    /// Nothing is known: the answer could not be read, or has not begun.
    #[default]
    Unmeasured,
}

impl Source {
    /// The name in snake case, as logs and metrics spell it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Reported => "reported",
            Self::Counted => "counted",
            Self::Unmeasured => "unmeasured",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_is_not_zero() {
        let mut usage = Usage::default();
        assert!(usage.is_empty());
        assert_eq!((usage.input(), usage.total()), (None, None));
        usage.set(Kind::Output, 0);
        assert_eq!((usage.output(), usage.total()), (Some(0), Some(0)));
    }

    #[test]
    fn all_lists_every_kind_at_its_own_place() {
        for (place, &kind) in Kind::ALL.iter().enumerate() {
            assert_eq!(kind as usize, place, "{kind}");
        }
    }

    #[test]
    fn total_saturates() {
        let usage: Usage = [(Kind::Input, u64::MAX), (Kind::Output, 1)]
            .into_iter()
            .collect();
        assert_eq!(usage.total(), Some(u64::MAX));
    }
}
