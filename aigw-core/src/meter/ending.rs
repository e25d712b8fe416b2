use crate::outcome::Fault;

/// How an answer ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Ending {
    /// Everything came, and it says that it is everything.
    Complete,
    /// The provider or the way to it failed.
    Fault(Fault),
    /// The provider reported an error inside a successful answer;
    /// [`Meter::in_band_error`](super::Meter::in_band_error) has it.
    InBandError,
    /// The named policy of ours ended it.
    Cut(&'static str),
    /// Nobody reads it any more: the caller hung up. Also what an answer that is still running
    /// shows.
    #[default]
    Dropped,
}

impl Ending {
    /// The name in snake case, as logs and metrics spell it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Fault(_) => "fault",
            Self::InBandError => "in_band_error",
            Self::Cut(_) => "cut",
            Self::Dropped => "dropped",
        }
    }
}
