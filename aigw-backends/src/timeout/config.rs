use std::{error::Error, fmt, time::Duration};

#[cfg(feature = "serde")]
use aigw_core::duration;

/// How long each part of a call may take. Everything is unlimited unless set.
///
/// Read from files, each key is optional and a duration as [`aigw_core::duration`] reads it
/// (feature `serde`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(deny_unknown_fields, default))]
#[non_exhaustive]
pub struct Timeouts {
    #[cfg_attr(
        feature = "serde",
        serde(deserialize_with = "duration::deserialize_optional")
    )]
    connect: Option<Duration>,
    #[cfg_attr(
        feature = "serde",
        serde(deserialize_with = "duration::deserialize_optional")
    )]
    pub(super) headers: Option<Duration>,
    #[cfg_attr(
        feature = "serde",
        serde(deserialize_with = "duration::deserialize_optional")
    )]
    pub(super) first_token: Option<Duration>,
    #[cfg_attr(
        feature = "serde",
        serde(deserialize_with = "duration::deserialize_optional")
    )]
    pub(super) idle: Option<Duration>,
    #[cfg_attr(
        feature = "serde",
        serde(deserialize_with = "duration::deserialize_optional")
    )]
    pub(super) total: Option<Duration>,
}

impl Timeouts {
    /// How long a connection may take. It is kept here so that a backend's timeouts stand together,
    /// and takes effect where the client is given it: hand
    /// [`connect_timeout`](Self::connect_timeout) to the client's settings.
    #[must_use]
    pub fn connect(mut self, timeout: impl Into<Option<Duration>>) -> Self {
        self.connect = timeout.into();
        self
    }

    /// What [`connect`](Self::connect) was set to, for the client.
    #[must_use]
    pub fn connect_timeout(&self) -> Option<Duration> {
        self.connect
    }

    /// How long the head of the answer may take, from the call. The connection and the upload of
    /// the request are part of it.
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

    /// How long the provider may be silent between the head and the end, each time it is waited
    /// for.
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
    /// A deadline of zero lets nothing pass; one above `total` never fires.
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let parts = [
            ("connect", self.connect),
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
            } => write!(f, "`{name}` ({timeout:?}) exceeds `total` ({total:?})"),
        }
    }
}

impl Error for ConfigError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(feature = "serde")]
    #[test]
    fn deadlines_are_read_from_a_file() {
        let read = toml::from_str::<Timeouts>;
        let expected = Timeouts::default()
            .connect(Duration::from_millis(250))
            .total(Duration::from_secs(600));
        assert_eq!(read("connect = '250ms'\ntotal = 'PT10M'"), Ok(expected));
        assert!(read("idle = 30").is_err() && read("idle = '30'").is_err());
        assert!(read("header = '1s'").is_err());
    }

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
            "`headers` (2s) exceeds `total` (1s)"
        );
    }
}
