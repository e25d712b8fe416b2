use std::fmt;

/// How many tokens a prompt has, by its model's tokenizer and the published recipe around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Count {
    /// The tokens.
    pub tokens: u64,
    /// What they rest on.
    pub basis: Basis,
}

/// What a [`Count`] rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Basis {
    /// Everything in the prompt was there to be counted.
    Counted,
    /// Something was taken to be of its usual size: an image behind a URL, a stored response that
    /// is continued, a tool of the provider's own.
    Assumed,
}

impl Count {
    /// A count; for an [`Estimator`](super::Estimator) of one's own.
    #[must_use]
    pub fn new(tokens: u64, basis: Basis) -> Self {
        Self { tokens, basis }
    }
}

/// What came of asking for a [`Count`].
#[derive(Debug)]
#[non_exhaustive]
#[must_use]
pub enum Counting {
    /// It cannot be counted here: the estimate stands.
    Unknown,
    /// It was counted.
    Counted(Count),
    /// It can be counted, but not while a reactor waits.
    Long(Work),
}

/// Counting that is still to be done, off the reactor: hand [`run`](Self::run) to an
/// [`Offload`](aigw_core::rt::Offload). Dropping it undoes nothing.
#[must_use]
pub struct Work(Box<dyn FnOnce() -> Count + Send>);

impl Work {
    /// Work that counts.
    // Boxed, since what is counted and how is each estimator's own; next to what it does, one
    // allocation is nothing.
    pub fn new(count: impl FnOnce() -> Count + Send + 'static) -> Self {
        Self(Box::new(count))
    }

    /// Does it, on this thread.
    #[must_use]
    pub fn run(self) -> Count {
        (self.0)()
    }
}

impl fmt::Debug for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Work").finish_non_exhaustive()
    }
}
