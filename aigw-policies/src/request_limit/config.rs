use std::{error::Error, fmt};

use aigw_core::key::Dimension;

use crate::budget::{Condition, Limit, LimitError};

/// How many requests there may be, and whose.
///
/// From a file, with feature `serde`; a rate or a quota, and all but that can be left out:
///
/// ```toml
/// name = "gold"                        # how refusals and the store call it
/// key = ["consumer"]                   # left out, all requests are counted together
/// requests = 50
/// per = "1s"
/// # or
/// quota = 10000
/// period = "day"                       # hour, day, week, month or year
/// align = "utc"                        # or "rolling"
/// when = { "label:tier" = "gold" }     # the calls that are limited
/// ```
///
/// # Examples
///
/// ```
/// use std::time::Duration;
///
/// use aigw_core::key::Dimension;
/// use aigw_policies::{budget::Rate, request_limit::Config};
///
/// let rate = Rate::try_new(50, Duration::from_secs(1))?;
/// let config = Config::new([Dimension::Consumer], rate).name("fifty");
/// # let _ = config;
/// # Ok::<(), aigw_policies::budget::LimitError>(())
/// ```
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "written::Config"))]
#[must_use]
pub struct Config {
    pub(super) name: Option<Box<str>>,
    pub(super) key: Vec<Dimension>,
    pub(super) limit: Limit,
    pub(super) when: Option<Condition>,
}

impl Config {
    /// Admits as many requests as the limit says of those that have the same values in `key`.
    /// Requests that lack a value share it; an empty key counts all requests together.
    pub fn new(key: impl IntoIterator<Item = Dimension>, limit: impl Into<Limit>) -> Self {
        Self {
            name: None,
            key: key.into_iter().collect(),
            limit: limit.into(),
            when: None,
        }
    }

    /// The properties by which requests are counted.
    #[must_use]
    pub fn dimensions(&self) -> &[Dimension] {
        &self.key
    }

    /// What holds of the requests that are limited, if not all are.
    #[must_use]
    pub fn condition(&self) -> Option<&Condition> {
        self.when.as_ref()
    }

    /// How refusals and the store call the limit. Callers read it. Of the limits on one store each
    /// needs a name of its own. Default: `requests`.
    pub fn name(mut self, name: impl Into<Box<str>>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Limits those calls only for which this holds; all others pass and are not counted.
    pub fn when(mut self, condition: Condition) -> Self {
        self.when = Some(condition);
        self
    }
}

/// A [`Config`] that cannot take effect.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConfigError {
    /// There is neither a rate nor a quota, or there are both.
    RateOrQuota,
    /// There is only one of `requests` and `per`.
    Rate,
    /// There is only one of `quota` and `period`, or `align` stands without them.
    Quota,
    /// The rate or quota itself.
    Limit(LimitError),
    /// More requests than a rate in memory can count: 2³² − 1.
    TooMany(u64),
    /// `when` holds for every call.
    EmptyCondition,
    /// A name of a header that stands twice or has a meaning of its own.
    Header(Box<str>),
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::RateOrQuota => {
                "either `requests` and `per`, or `quota` and `period`; several limits stand in several sections"
            }
            Self::Rate => "`requests` and `per` go together",
            Self::Quota => "`quota` and `period` go together, and `align` with them",
            Self::Limit(error) => return error.fmt(f),
            Self::TooMany(requests) => {
                return write!(f, "{requests} requests are more than {}", u32::MAX);
            }
            Self::EmptyCondition => "`when` names no value and holds for every call",
            Self::Header(name) => return write!(f, "the header `{name}` stands twice or has a meaning of its own"),
        })
    }
}

impl Error for ConfigError {}

impl From<LimitError> for ConfigError {
    fn from(error: LimitError) -> Self {
        Self::Limit(error)
    }
}

/// The settings as they stand in a file.
#[cfg(feature = "serde")]
mod written {
    use std::time::Duration;

    use aigw_core::duration;
    use serde::Deserialize;

    use super::{Condition, ConfigError, Dimension};
    use crate::budget::{Align, Limit, Period, Quota, Rate};

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    pub(super) struct Config {
        name: Option<Box<str>>,
        #[serde(default)]
        key: Vec<Dimension>,
        requests: Option<u64>,
        #[serde(default, deserialize_with = "duration::deserialize_optional")]
        per: Option<Duration>,
        quota: Option<u64>,
        period: Option<Period>,
        align: Option<Align>,
        when: Option<Condition>,
    }

    impl TryFrom<Config> for super::Config {
        type Error = ConfigError;

        fn try_from(written: Config) -> Result<Self, ConfigError> {
            let rate = match (written.requests, written.per) {
                (Some(requests), Some(per)) => Some(Rate::try_new(requests, per)?),
                (None, None) => None,
                _ => return Err(ConfigError::Rate),
            };
            let quota = match (written.quota, written.period, written.align) {
                (Some(amount), Some(period), align) => {
                    Some(Quota::try_new(amount, period, align.unwrap_or_default())?)
                }
                (None, None, None) => None,
                _ => return Err(ConfigError::Quota),
            };
            let limit: Limit = match (rate, quota) {
                (Some(rate), None) => rate.into(),
                (None, Some(quota)) => quota.into(),
                _ => return Err(ConfigError::RateOrQuota),
            };
            Ok(Self {
                name: written.name,
                key: written.key,
                limit,
                when: written.when,
            })
        }
    }
}

#[cfg(all(test, feature = "serde"))]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::budget::{Align, Period, Quota, Rate};

    fn read(text: &str) -> Result<Config, String> {
        toml::from_str(text).map_err(|error| error.message().to_owned())
    }

    #[test]
    fn a_rate_and_a_quota_are_read_from_files() {
        let rate = read("key = ['consumer']\nrequests = 50\nper = '1s'").unwrap();
        assert_eq!(rate.key, [Dimension::Consumer]);
        assert_eq!(
            rate.limit,
            Rate::try_new(50, Duration::from_secs(1)).unwrap().into()
        );
        let quota = "name = 'q'\nkey = []\nquota = 10\nperiod = 'day'\nalign = 'rolling'";
        let quota = read(&format!("{quota}\nwhen = {{ user = 'batch' }}")).unwrap();
        let expected = Quota::try_new(10, Period::Day, Align::Rolling).unwrap();
        assert_eq!(quota.limit, expected.into());
        assert_eq!(quota.name.as_deref(), Some("q"));
        let batch = Condition::value(Dimension::User, "batch");
        assert_eq!(format!("{:?}", quota.when), format!("{:?}", Some(batch)));
        let together = read("requests = 1\nper = '1s'").unwrap();
        assert_eq!(together.key, []);
    }

    #[test]
    fn a_file_says_what_is_wrong_with_it() {
        for (text, expected) in [
            ("key = []", "either `requests` and `per`, or"),
            ("key = []\nrequests = 1", "`requests` and `per`"),
            ("key = []\nper = '1s'", "`requests` and `per`"),
            ("key = []\nquota = 1", "`quota` and `period`"),
            ("key = []\nalign = 'utc'", "`quota` and `period`"),
            (
                "key = []\nrequests = 1\nper = '1s'\nquota = 1\nperiod = 'day'",
                "several sections",
            ),
            ("key = []\nrequests = 1\nper = '10ms'", "10ms"),
            ("key = []\nrequests = 0\nper = '1s'", "0"),
            ("key = []\ncalls = 1", "unknown field `calls`"),
            (
                "key = ['customer']\nquota = 1\nperiod = 'day'",
                "`customer` is no key",
            ),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }
}
