use std::{error::Error, fmt, time::Duration};

use super::bucket::Flow;

/// How much of something may be used in a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Limit {
    /// It flows back all the time.
    Rate(Rate),
    /// It is there again when a period begins.
    Quota(Quota),
}

impl Limit {
    /// The greatest amount that can ever be taken at once.
    #[must_use]
    pub const fn amount(&self) -> u64 {
        match self {
            Self::Rate(rate) => rate.amount(),
            Self::Quota(quota) => quota.amount,
        }
    }

    /// Whether its amount is one of money.
    #[cfg(feature = "token-limit")]
    pub(crate) const fn is_money(&self) -> bool {
        match self {
            Self::Rate(rate) => rate.is_money,
            Self::Quota(quota) => quota.is_money,
        }
    }

    /// The time that its amount is for: `minute`, `month`, `10s`.
    #[cfg(any(feature = "request-limit", feature = "token-limit"))]
    pub(crate) fn span(&self) -> String {
        match self {
            Self::Rate(rate) => rate.span(),
            Self::Quota(quota) => quota.period.to_string(),
        }
    }
}

impl From<Rate> for Limit {
    fn from(rate: Rate) -> Self {
        Self::Rate(rate)
    }
}

impl From<Quota> for Limit {
    fn from(quota: Quota) -> Self {
        Self::Quota(quota)
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rate(rate) => rate.fmt(f),
            Self::Quota(quota) => quota.fmt(f),
        }
    }
}

/// An amount that flows back evenly: a bucket that holds this much at most and fills in this time.
///
/// In any span of time no more is admitted than what the bucket holds and what flows in during it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    per: Duration,
    max_debt: Duration,
    flow: Flow,
    is_money: bool,
}

impl Rate {
    /// The deepest debt unless one is set: an hour's worth. A longer one would lock a caller out for
    /// a fault of the estimate.
    pub const DEFAULT_MAX_DEBT: Duration = Duration::from_secs(3600);

    /// The shortest time of a rate: a second.
    pub const SHORTEST: Duration = Duration::from_secs(1);

    /// The longest time of a rate: a year.
    pub const LONGEST: Duration = Duration::from_secs(366 * 24 * 3600);

    /// So much in so much time.
    ///
    /// # Errors
    ///
    /// Refuses an amount of 0, and a time below [`SHORTEST`](Self::SHORTEST) or above
    /// [`LONGEST`](Self::LONGEST).
    pub fn try_new(amount: u64, per: Duration) -> Result<Self, LimitError> {
        if amount == 0 {
            return Err(LimitError::Nothing);
        }
        if per < Self::SHORTEST {
            return Err(LimitError::TooShort(per));
        }
        if per > Self::LONGEST {
            return Err(LimitError::TooLong(per));
        }
        let max_debt = Self::DEFAULT_MAX_DEBT.max(per);
        Ok(Self {
            per,
            max_debt,
            flow: Flow::new(amount, per, max_debt),
            is_money: false,
        })
    }

    /// So much money in so much time, for a budget that counts cost: in a currency, whose millionths
    /// are counted (feature `token-limit`).
    ///
    /// # Errors
    ///
    /// As [`try_new`](Self::try_new); and an amount that is not from 0.000001 to a billion.
    #[cfg(feature = "token-limit")]
    pub fn of_money(amount: f64, per: Duration) -> Result<Self, LimitError> {
        Ok(Self {
            is_money: true,
            ..Self::try_new(millionths(amount)?, per)?
        })
    }

    /// How long it may take at most until use beyond the limit is made up for: what would take
    /// longer is forgiven, and with zero all of it. Default:
    /// [`DEFAULT_MAX_DEBT`](Self::DEFAULT_MAX_DEBT), or the rate's own time where that is longer.
    #[must_use]
    pub fn with_max_debt(self, max_debt: Duration) -> Self {
        Self {
            max_debt,
            flow: Flow::new(self.flow.capacity, self.per, max_debt),
            ..self
        }
    }

    /// What the bucket holds.
    #[must_use]
    pub const fn amount(&self) -> u64 {
        self.flow.capacity
    }

    /// What one of so many may have of it, at least 1.
    #[cfg(feature = "redis")]
    pub(super) fn share(&self, parts: u64) -> Self {
        let amount = (self.amount() / parts.max(1)).max(1);
        Self {
            flow: Flow::new(amount, self.per, self.max_debt),
            ..*self
        }
    }

    fn span(&self) -> String {
        match (self.per.as_secs(), self.per.subsec_nanos()) {
            (1, 0) => "second".to_owned(),
            (60, 0) => "minute".to_owned(),
            (3600, 0) => "hour".to_owned(),
            _ => format!("{:?}", self.per),
        }
    }

    pub(super) const fn flow(&self) -> &Flow {
        &self.flow
    }

    /// How long an empty bucket takes to fill.
    #[must_use]
    pub const fn per(&self) -> Duration {
        self.per
    }

    /// How long the deepest debt takes to be made up for.
    #[must_use]
    pub const fn max_debt(&self) -> Duration {
        self.max_debt
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} per {}", self.amount(), self.span())
    }
}

/// An amount for a period of the calendar or of the caller's own time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    amount: u64,
    period: Period,
    align: Align,
    is_money: bool,
}

impl Quota {
    /// So much in each period.
    ///
    /// # Errors
    ///
    /// Refuses an amount of 0.
    pub const fn try_new(amount: u64, period: Period, align: Align) -> Result<Self, LimitError> {
        if amount == 0 {
            return Err(LimitError::Nothing);
        }
        Ok(Self {
            amount,
            period,
            align,
            is_money: false,
        })
    }

    /// So much money in each period, for a budget that counts cost: in a currency, whose millionths
    /// are counted (feature `token-limit`).
    ///
    /// # Errors
    ///
    /// An amount that is not from 0.000001 to a billion.
    #[cfg(feature = "token-limit")]
    pub fn of_money(amount: f64, period: Period, align: Align) -> Result<Self, LimitError> {
        Ok(Self {
            is_money: true,
            ..Self::try_new(millionths(amount)?, period, align)?
        })
    }

    /// What may be used in a period.
    #[must_use]
    pub const fn amount(&self) -> u64 {
        self.amount
    }

    /// What one of so many may have of it, at least 1.
    #[cfg(feature = "redis")]
    pub(super) fn share(&self, parts: u64) -> Self {
        Self {
            amount: (self.amount / parts.max(1)).max(1),
            ..*self
        }
    }

    /// How long a period is.
    #[must_use]
    pub const fn period(&self) -> Period {
        self.period
    }

    /// When a period begins.
    #[must_use]
    pub const fn align(&self) -> Align {
        self.align
    }
}

impl fmt::Display for Quota {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} per {}", self.amount, self.period)
    }
}

/// How long a quota lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "lowercase"))]
#[non_exhaustive]
pub enum Period {
    /// An hour.
    Hour,
    /// A day.
    Day,
    /// A week, which begins on a Monday.
    Week,
    /// A month; 30 days where it does not follow the calendar.
    Month,
    /// A year; 365 days where it does not follow the calendar.
    Year,
}

impl Period {
    /// Every period, the shortest first.
    pub const ALL: &[Self] = &[Self::Hour, Self::Day, Self::Week, Self::Month, Self::Year];

    /// The name in lower case, as configuration spells it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
            Self::Year => "year",
        }
    }

    /// How long it is where it does not follow the calendar.
    #[must_use]
    pub const fn length(self) -> Duration {
        const DAY: u64 = 24 * 3600;
        Duration::from_secs(match self {
            Self::Hour => 3600,
            Self::Day => DAY,
            Self::Week => 7 * DAY,
            Self::Month => 30 * DAY,
            Self::Year => 365 * DAY,
        })
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// When the periods of a quota begin.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "lowercase"))]
#[non_exhaustive]
pub enum Align {
    /// With the UTC calendar: the whole amount is there at its turn, for all keys at once.
    #[default]
    Utc,
    /// At every moment: the amount holds for the period that ends now. Use is counted in parts of a
    /// 23rd of the period, and each is given back when the last of it is a period old, so that a
    /// period never sees more than the amount.
    Rolling,
}

impl Align {
    /// In how many parts a rolling period is counted.
    pub(crate) const SLOTS: u64 = 24;
}

/// An amount of money in millionths of its currency.
#[cfg(feature = "token-limit")]
fn millionths(amount: f64) -> Result<u64, LimitError> {
    if !(1e-6..=1e9).contains(&amount) {
        return Err(LimitError::Money);
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "from 1 to 10¹⁵"
    )]
    let millionths = (amount * 1e6).round() as u64;
    Ok(millionths)
}

/// A limit that cannot take effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LimitError {
    /// The amount is 0: nothing would ever be admitted.
    Nothing,
    /// The time of a rate is below a second.
    TooShort(Duration),
    /// The time of a rate is above a year.
    TooLong(Duration),
    /// An amount of money that is not from 0.000001 to a billion.
    Money,
    /// The store computes in numbers that are too small for it: its amount and its time share too
    /// few factors, or it is too large.
    Inexact,
}

impl fmt::Display for LimitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => f.write_str("a limit of 0 would admit nothing"),
            Self::TooShort(per) => write!(f, "a rate is for a second or longer, not for {per:?}"),
            Self::TooLong(per) => write!(f, "a rate is for a year at most, not for {per:?}"),
            Self::Money => f.write_str("an amount of money is from 0.000001 to a billion"),
            Self::Inexact => f.write_str(
                "it is too fine for the store to compute exactly: take a rounder amount or time",
            ),
        }
    }
}

impl Error for LimitError {}
