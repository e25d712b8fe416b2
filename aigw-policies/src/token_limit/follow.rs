//! What a provider says of its own limits.

use std::time::Duration;

use http::HeaderMap;

use crate::budget::{Limit, Rate};

/// Tokens of a provider's account, by its own count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Account {
    /// How many it may use in a minute.
    pub(super) limit: Option<u64>,
    /// How many are left of them.
    pub(super) remaining: Option<u64>,
}

/// As OpenAI and Azure name them, and as Anthropic does.
const LIMIT: [&str; 2] = [
    "x-ratelimit-limit-tokens",
    "anthropic-ratelimit-tokens-limit",
];
const REMAINING: [&str; 2] = [
    "x-ratelimit-remaining-tokens",
    "anthropic-ratelimit-tokens-remaining",
];

/// The time that providers tell their limits for.
const MINUTE: Duration = Duration::from_secs(60);

impl Account {
    pub(super) fn read(headers: &HeaderMap) -> Self {
        let number = |names: [&str; 2]| {
            let value = names.iter().find_map(|name| headers.get(*name))?;
            value.to_str().ok()?.trim().parse().ok()
        };
        Self {
            limit: number(LIMIT).filter(|limit| *limit > 0),
            remaining: number(REMAINING),
        }
    }

    /// The limit that stands for the account in place of this one; `None` where this one does, or
    /// nothing is said.
    pub(super) fn limit_for(&self, before: &Limit) -> Option<Limit> {
        let Limit::Rate(before) = before else {
            return None;
        };
        let rate = Rate::try_new(self.limit?, MINUTE).ok()?;
        let rate = rate.with_max_debt(before.max_debt());
        (rate != *before).then_some(rate.into())
    }

    /// How many are left at most once so much time has passed; `None` where nothing is said.
    pub(super) fn left_after(&self, passed: Duration, before: &Limit) -> Option<u64> {
        let Limit::Rate(rate) = self.limit_for(before).unwrap_or(*before) else {
            return None;
        };
        let come = u128::from(rate.amount()) * passed.as_micros();
        let come = come.checked_div(rate.per().as_micros())?;
        let come = u64::try_from(come).unwrap_or(u64::MAX);
        Some(self.remaining?.saturating_add(come))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&'static str, &str)]) -> (Option<u64>, Option<u64>) {
        let pairs = pairs.iter();
        let headers = pairs.map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
        let Account { limit, remaining } = Account::read(&headers.collect());
        (limit, remaining)
    }

    #[test]
    fn the_headers_of_each_vendor_are_read_and_nonsense_is_not() {
        let openai = [
            ("x-ratelimit-limit-tokens", "150000"),
            ("x-ratelimit-remaining-tokens", "149984"),
        ];
        assert_eq!(read(&openai), (Some(150_000), Some(149_984)));
        let anthropic = [
            ("anthropic-ratelimit-tokens-limit", "80000"),
            ("anthropic-ratelimit-tokens-remaining", "0"),
        ];
        assert_eq!(read(&anthropic), (Some(80_000), Some(0)));
        assert_eq!(read(&[]), (None, None));
        for nonsense in ["", "-1", "many", "0"] {
            let told = [("x-ratelimit-limit-tokens", nonsense)];
            assert_eq!(read(&told), (None, None), "{nonsense}");
        }
    }

    #[test]
    fn what_is_left_grows_with_the_limit_that_is_told() {
        let second = Duration::from_secs(1);
        let before = Rate::try_new(60, second).unwrap().into();
        let told = |limit, remaining| Account { limit, remaining };
        let after = |account: Account| account.left_after(second, &before);
        assert_eq!(after(told(Some(600), Some(5))), Some(15));
        assert_eq!(after(told(None, Some(5))), Some(65));
        assert_eq!(after(told(Some(600), None)), None);
    }
}
