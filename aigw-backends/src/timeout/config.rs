use std::{error::Error, fmt, time::Duration};

/// How long each part of a call may take. Everything is unlimited unless set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Timeouts {
    pub(super) headers: Option<Duration>,
    pub(super) first_token: Option<Duration>,
    pub(super) idle: Option<Duration>,
    pub(super) total: Option<Duration>,
}

impl Timeouts {
    /// How long the head of the answer may take, from the call. The connection and the upload of the request are part of it.
    #[must_use]
    pub fn headers(mut self, timeout: impl Into<Option<Duration>>) -> Self {
        self.headers = timeout.into();
        self
    }

    /// How long the first content may take, from the call.
    #[must_use]
    pub fn first_token(mut self, timeout: impl Into<Option<Duration>>) -> Self {
        self.first_token = timeout.into();
        self
    }

    /// How long the provider may be silent between the head and the end, each time it is waited for.
    #[must_use]
    pub fn idle(mut self, timeout: impl Into<Option<Duration>>) -> Self {
        self.idle = timeout.into();
        self
    }

    /// How long the call may take, from the call to the end of the body.
    #[must_use]
    pub fn total(mut self, timeout: impl Into<Option<Duration>>) -> Self {
        self.total = timeout.into();
        self
    }

    /// Checks that each deadline can be met and can take effect.
    ///
    /// # Errors
    ///
    /// A deadline of zero lets nothing pass; one that is not below `total` never fires.
    pub fn check(&self) -> Result<(), ConfigError> {
        let parts = [
            ("headers", self.headers),
            ("first_token", self.first_token),
            ("idle", self.idle),
        ];
        for (name, timeout) in parts.into_iter().chain([("total", self.total)]) {
            if timeout.is_some_and(|timeout| timeout.is_zero()) {
                return Err(ConfigError::Zero(name));
            }
        }
        for (name, timeout) in parts {
            if let (Some(timeout), Some(total)) = (timeout, self.total)
                && timeout > total
            {
                return Err(ConfigError::AboveTotal {
                    name,
                    timeout,
                    total,
                });
            }
        }
        Ok(())
    }
}

/// [`Timeouts`] that make no sense.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConfigError {
    /// The named deadline is zero.
    Zero(&'static str),
    /// The named deadline is longer than the whole call may take.
    #[non_exhaustive]
    AboveTotal {
        /// Which deadline.
        name: &'static str,
        /// Its length.
        timeout: Duration,
        /// That of the call.
        total: Duration,
    },
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Zero(name) => write!(f, "`{name}` must be longer than zero"),
            Self::AboveTotal {
                name,
                timeout,
                total,
            } => write!(
                f,
                "`{name}` is {timeout:?} and never fires, for `total` is {total:?}"
            ),
        }
    }
}

impl Error for ConfigError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deadline_that_cannot_take_effect_is_an_error() {
        let second = Duration::from_secs(1);
        assert_eq!(Timeouts::default().check(), Ok(()));
        assert_eq!(
            Timeouts::default().idle(Duration::ZERO).check(),
            Err(ConfigError::Zero("idle"))
        );
        let timeouts = Timeouts::default().headers(second * 2).total(second);
        assert_eq!(
            timeouts.check().unwrap_err().to_string(),
            "`headers` is 2s and never fires, for `total` is 1s"
        );
    }
}
