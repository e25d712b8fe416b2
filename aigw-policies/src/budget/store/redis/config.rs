use std::{error::Error, fmt, time::Duration};

/// How a [`RedisStore`](super::RedisStore) behaves.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
///
/// use aigw_policies::budget::redis::{Config, OnError};
///
/// let config = Config::try_new("gateway", OnError::Local)?.deadline(Duration::from_millis(50));
/// assert!(Config::try_new("", OnError::Deny).is_err());
/// # Ok::<(), aigw_policies::budget::redis::ConfigError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    namespace: String,
    pub(super) on_error: OnError,
    pub(super) deadline: Duration,
    pub(super) max_corrections: usize,
}

/// What becomes of calls while Redis does not answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "lowercase"))]
#[non_exhaustive]
pub enum OnError {
    /// They are admitted, whatever they use.
    Allow,
    /// They are refused: 503, to be tried again a second later.
    Deny,
    /// Each process admits its share of each limit: the limit divided by the number of processes
    /// that were last seen in the namespace. A process that has not reached Redis yet takes itself
    /// for the only one.
    Local,
}

impl OnError {
    /// The name in lower case, as configuration spells it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Deny => "deny",
            Self::Local => "local",
        }
    }
}

impl fmt::Display for OnError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Config {
    /// How long a decision may take unless something else is set: many times what a server in the
    /// same network takes, and less than a caller notices.
    pub const DEFAULT_DEADLINE: Duration = Duration::from_millis(100);

    /// How many corrections are kept for Redis unless something else is set.
    pub const DEFAULT_MAX_CORRECTIONS: usize = 65_536;

    /// A store in this namespace. Processes that share it share their limits; it is the hash tag of
    /// all keys, which a cluster therefore keeps together.
    ///
    /// # Errors
    ///
    /// Refuses a namespace that is empty or has a brace.
    pub fn try_new(namespace: impl Into<String>, on_error: OnError) -> Result<Self, ConfigError> {
        let namespace = namespace.into();
        if namespace.is_empty() || namespace.contains(['{', '}']) {
            return Err(ConfigError::Namespace(namespace.into()));
        }
        Ok(Self {
            namespace,
            on_error,
            deadline: Self::DEFAULT_DEADLINE,
            max_corrections: Self::DEFAULT_MAX_CORRECTIONS,
        })
    }

    /// How long a decision may take before [`OnError`] makes it, and Redis counts as lost: longer
    /// than its server pauses when all is well. With none, only an answer that is there at once is
    /// in time. Default: [`DEFAULT_DEADLINE`](Self::DEFAULT_DEADLINE).
    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// How many corrections wait for Redis at most, of some 200 bytes each; how many keys' use is
    /// kept for it while it does not answer; and how many keys have a level of their own in this
    /// process meanwhile. One more is dropped, and [counted](super::Stats::dropped): what it would have
    /// given back stays taken, and what it would have taken is not. Default:
    /// [`DEFAULT_MAX_CORRECTIONS`](Self::DEFAULT_MAX_CORRECTIONS).
    #[must_use]
    pub fn max_corrections(mut self, corrections: usize) -> Self {
        self.max_corrections = corrections;
        self
    }

    /// The namespace.
    #[must_use]
    pub fn namespace(&self) -> &str {
        &self.namespace
    }
}

/// A setting that cannot take effect.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConfigError {
    /// The namespace is empty, or has a brace, which would end the hash tag.
    Namespace(Box<str>),
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Namespace(name) => {
                write!(
                    f,
                    "`{name}` is no namespace: it must not be empty or have a brace"
                )
            }
        }
    }
}

impl Error for ConfigError {}
