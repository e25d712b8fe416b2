use std::{error::Error, fmt, time::Duration};

#[cfg(feature = "serde")]
use aigw_core::duration;
use aigw_core::key::Dimension;

use super::gate::Terms;
use crate::budget::Condition;

/// How many calls may be under way at once.
///
/// From a file, with feature `serde`; all but `calls` can be left out:
///
/// ```toml
/// name = "gold"                               # how refusals call it
/// key = ["consumer"]                          # left out, all calls are counted together
/// calls = 64
/// queue = 32                                  # calls that may wait,
/// queue_timeout = "2s"                        # and how long
/// when = { "label:tier" = "gold" }            # the calls that are limited
/// low = { "header:x-priority" = "low" }       # the calls that give way,
/// reserve = 8                                 # and how many places they leave free
/// ```
///
/// # Examples
///
/// ```
/// use std::time::Duration;
///
/// use aigw_core::{key::Dimension, rt::NoTimer};
/// use aigw_policies::{
///     budget::Condition,
///     concurrency_limit::{ConcurrencyLimitLayer, Config, ConfigError},
/// };
///
/// let background = Condition::value("header:x-priority".parse()?, "low");
/// let config = Config::new([Dimension::Consumer], 64).low(background, 64);
/// let error = ConcurrencyLimitLayer::try_new(config, NoTimer).unwrap_err();
/// assert_eq!(error, ConfigError::Reserve { reserve: 64, calls: 64 });
/// # Ok::<(), aigw_core::key::ParseError>(())
/// ```
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(deny_unknown_fields))]
#[non_exhaustive]
#[must_use]
pub struct Config {
    pub(super) name: Option<Box<str>>,
    #[cfg_attr(feature = "serde", serde(default))]
    pub(super) key: Vec<Dimension>,
    calls: usize,
    queue: Option<usize>,
    #[cfg_attr(
        feature = "serde",
        serde(default, deserialize_with = "duration::deserialize_optional")
    )]
    pub(super) queue_timeout: Option<Duration>,
    pub(super) when: Option<Condition>,
    pub(super) low: Option<Condition>,
    reserve: Option<usize>,
}

impl Config {
    /// Admits so many calls at once that have the same values in `key`. Calls that lack a value
    /// share it; an empty key counts all calls together.
    pub fn new(key: impl IntoIterator<Item = Dimension>, calls: usize) -> Self {
        Self {
            name: None,
            key: key.into_iter().collect(),
            calls,
            queue: None,
            queue_timeout: None,
            when: None,
            low: None,
            reserve: None,
        }
    }

    /// The properties by which calls are counted.
    #[must_use]
    pub fn dimensions(&self) -> &[Dimension] {
        &self.key
    }

    /// What holds of the calls that are limited, and of those that give way.
    pub fn conditions(&self) -> impl Iterator<Item = &Condition> {
        self.when.iter().chain(&self.low)
    }

    /// How refusals and [levels](super::Handle::levels_by_key) call the limit, and the processes that
    /// share it. Callers read it. Of those that one store keeps, each needs a name of its own.
    /// Default: `calls` on a store, which so can keep one limit without a name; elsewhere refusals call
    /// it by its key.
    pub fn name(mut self, name: impl Into<Box<str>>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Where all places are taken, lets so many calls of a key wait, each for so long at most.
    /// Neither can be zero. Default: none waits.
    ///
    /// A call that waits holds its body; [`CallLayer`](aigw_core::call::CallLayer) bounds the bytes
    /// of all.
    pub fn queue(mut self, places: usize, timeout: Duration) -> Self {
        self.queue = Some(places);
        self.queue_timeout = Some(timeout);
        self
    }

    /// Limits those calls only for which this holds; all others pass and are not counted.
    pub fn when(mut self, condition: Condition) -> Self {
        self.when = Some(condition);
        self
    }

    /// Lets calls for which this holds give way: one enters only while more than `reserve` places
    /// are free, and waits behind all others. Where the queue is full, the last of them loses its
    /// place there to one that does not give way.
    ///
    /// A reserve of zero only orders the queue.
    pub fn low(mut self, condition: Condition, reserve: usize) -> Self {
        self.low = Some(condition);
        self.reserve = Some(reserve);
        self
    }

    /// Checks that each setting can take effect.
    pub(super) fn terms(&self) -> Result<Terms, ConfigError> {
        match (self.queue, self.queue_timeout) {
            (Some(_), None) => return Err(ConfigError::QueueWithoutTimeout),
            (None, Some(_)) => return Err(ConfigError::TimeoutWithoutQueue),
            (Some(0), _) => return Err(ConfigError::NoQueue),
            (_, Some(Duration::ZERO)) => return Err(ConfigError::NoTimeout),
            (Some(_), Some(_)) | (None, None) => {}
        }
        match (&self.low, self.reserve) {
            (Some(_), None) => return Err(ConfigError::LowWithoutReserve),
            (None, Some(_)) => return Err(ConfigError::ReserveWithoutLow),
            (Some(_), Some(0)) if self.queue.is_none() => return Err(ConfigError::NoReserve),
            _ => {}
        }
        for (name, condition) in [("when", &self.when), ("low", &self.low)] {
            if condition.as_ref().is_some_and(Condition::is_empty) {
                return Err(ConfigError::EmptyCondition(name));
            }
        }
        let reserve = self.reserve.unwrap_or_default();
        check_calls(self.calls, reserve)?;
        Ok(Terms {
            calls: self.calls,
            reserve,
            queue: self.queue.unwrap_or_default(),
        })
    }
}

/// That somebody can enter, of either class.
pub(super) fn check_calls(calls: usize, reserve: usize) -> Result<(), ConfigError> {
    match calls {
        0 => Err(ConfigError::NoCalls),
        _ if reserve >= calls => Err(ConfigError::Reserve { reserve, calls }),
        _ => Ok(()),
    }
}

/// A [`Config`] that cannot take effect.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConfigError {
    /// `calls` is 0: nothing would ever be admitted.
    NoCalls,
    /// There is a `queue`, and no `queue_timeout`.
    QueueWithoutTimeout,
    /// There is a `queue_timeout`, and no `queue`.
    TimeoutWithoutQueue,
    /// `queue` is 0: nothing would wait.
    NoQueue,
    /// `queue_timeout` is 0: nothing would wait.
    NoTimeout,
    /// There is a `low`, and no `reserve`.
    LowWithoutReserve,
    /// There is a `reserve`, and no `low`.
    ReserveWithoutLow,
    /// `reserve` is 0, and there is no queue: `low` would change nothing.
    NoReserve,
    /// Calls of low priority would never enter.
    #[expect(missing_docs, reason = "they are the settings of these names")]
    Reserve { reserve: usize, calls: usize },
    /// The named condition holds for every call.
    EmptyCondition(&'static str),
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoCalls => "`calls` of 0 would admit nothing",
            Self::QueueWithoutTimeout => "`queue` needs a `queue_timeout`",
            Self::TimeoutWithoutQueue => "`queue_timeout` needs a `queue`",
            Self::NoQueue => "a `queue` of 0 lets nothing wait; leave it out",
            Self::NoTimeout => "a `queue_timeout` of 0 lets nothing wait",
            Self::LowWithoutReserve => "`low` needs a `reserve`",
            Self::ReserveWithoutLow => "`reserve` needs a `low`",
            Self::NoReserve => "a `reserve` of 0 changes nothing without a `queue`",
            Self::Reserve { reserve, calls } => {
                return write!(
                    f,
                    "`reserve` ({reserve}) must be below `calls` ({calls}), or `low` calls never enter"
                );
            }
            Self::EmptyCondition(name) => {
                return write!(f, "`{name}` names no value and holds for every call");
            }
        })
    }
}

impl Error for ConfigError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn background() -> Condition {
        Condition::value(Dimension::User, "batch")
    }

    #[test]
    fn a_setting_that_cannot_take_effect_is_an_error() {
        let second = Duration::from_secs(1);
        let all = || Config::new([], 4);
        let fields = |change: fn(&mut Config)| {
            let mut config = all();
            change(&mut config);
            config
        };
        let cases = [
            (Config::new([], 0), ConfigError::NoCalls),
            (all().queue(0, second), ConfigError::NoQueue),
            (all().queue(1, Duration::ZERO), ConfigError::NoTimeout),
            (
                fields(|it| it.queue = Some(1)),
                ConfigError::QueueWithoutTimeout,
            ),
            (
                fields(|it| it.queue_timeout = Some(Duration::MAX)),
                ConfigError::TimeoutWithoutQueue,
            ),
            (
                fields(|it| it.low = Some(background())),
                ConfigError::LowWithoutReserve,
            ),
            (
                fields(|it| it.reserve = Some(1)),
                ConfigError::ReserveWithoutLow,
            ),
            (all().low(background(), 0), ConfigError::NoReserve),
            (
                all().low(background(), 4),
                ConfigError::Reserve {
                    reserve: 4,
                    calls: 4,
                },
            ),
            (
                all().low(Condition::default(), 1),
                ConfigError::EmptyCondition("low"),
            ),
            (
                all().when(Condition::default()),
                ConfigError::EmptyCondition("when"),
            ),
        ];
        for (config, error) in cases {
            assert_eq!(config.terms(), Err(error), "{config:?}");
        }
    }

    #[test]
    fn what_can_take_effect_is_taken_as_it_is() {
        let second = Duration::from_secs(1);
        let terms = |calls, reserve, queue| {
            Ok(Terms {
                calls,
                reserve,
                queue,
            })
        };
        let all = || Config::new([], 4);
        assert_eq!(all().terms(), terms(4, 0, 0));
        assert_eq!(all().low(background(), 3).terms(), terms(4, 3, 0));
        let ordered = all().queue(2, second).low(background(), 0);
        assert_eq!(ordered.terms(), terms(4, 0, 2));
    }

    #[cfg(feature = "serde")]
    #[test]
    fn every_key_is_read_from_a_file() {
        let config: Config = toml::from_str(
            r#"
            name = "gold"
            key = ["consumer", "header:X-Team"]
            calls = 64
            queue = 32
            queue_timeout = "2s"
            when = { "label:tier" = "gold" }
            low = { "header:x-priority" = "low" }
            reserve = 8
            "#,
        )
        .unwrap();
        let key = [Dimension::Consumer, "header:x-team".parse().unwrap()];
        let gold = Condition::value("label:tier".parse().unwrap(), "gold");
        let low = Condition::value("header:x-priority".parse().unwrap(), "low");
        let expected = Config::new(key, 64)
            .name("gold")
            .queue(32, Duration::from_secs(2))
            .when(gold)
            .low(low, 8);
        assert_eq!(format!("{config:?}"), format!("{expected:?}"));
        assert!(config.terms().is_ok());
    }

    #[cfg(feature = "serde")]
    #[test]
    fn calls_are_counted_together_where_no_key_is_named() {
        let config: Config = toml::from_str("calls = 1").unwrap();
        assert_eq!(config.dimensions(), []);
        assert_eq!(config.conditions().count(), 0);
    }

    #[cfg(feature = "serde")]
    #[test]
    fn a_file_says_what_is_wrong_with_it() {
        let error = |text: &str| match toml::from_str::<Config>(text) {
            Ok(config) => config.terms().unwrap_err().to_string(),
            Err(error) => error.message().to_owned(),
        };
        let cases = [
            ("key = []", "missing field `calls`"),
            ("key = []\ncalls = 0", "`calls` of 0"),
            ("key = []\ncalls = -1", "-1"),
            ("key = ['customer']\ncalls = 1", "`customer` is no key"),
            ("key = []\ncalls = 1\nlimit = 2", "unknown field `limit`"),
            ("key = []\ncalls = 1\nqueue = 2", "needs a `queue_timeout`"),
            (
                "key = []\ncalls = 1\nqueue_timeout = '2s'",
                "needs a `queue`",
            ),
            (
                "key = []\ncalls = 1\nqueue = 1\nqueue_timeout = 2",
                "expected a string",
            ),
            (
                "key = []\ncalls = 1\nwhen = { tier = 'gold' }",
                "`tier` is no key",
            ),
            ("key = []\ncalls = 1\nwhen = {}", "`when` names no value"),
            ("key = []\ncalls = 1\nreserve = 1", "needs a `low`"),
            (
                "key = []\ncalls = 1\nlow = { user = 'batch' }",
                "needs a `reserve`",
            ),
            (
                "key = []\ncalls = 2\nlow = { user = 'batch' }\nreserve = 2",
                "`reserve` (2) must be below `calls` (2)",
            ),
        ];
        for (text, expected) in cases {
            let error = error(text);
            assert!(error.contains(expected), "{text}: {error}");
        }
    }
}
