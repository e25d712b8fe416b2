//! Reads the query of a URL: pure.

use super::spelling;

/// The first `api-version`, as it stands. Azure reads the name in any case.
pub(super) fn api_version(query: Option<&str>) -> Option<&str> {
    value(query, |name| spelling::in_any_case(name, "api-version"))
}

/// The value of the first `name=value`, as it stands.
#[cfg(feature = "test-util")]
pub(crate) fn query_value<'q>(query: Option<&'q str>, name: &str) -> Option<&'q str> {
    value(query, |written| written == name)
}

fn value(query: Option<&str>, is_name: impl Fn(&str) -> bool) -> Option<&str> {
    query?
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .find_map(|(name, value)| is_name(name).then_some(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_value_of_a_name_counts_however_it_is_spelt() {
        let of = |query| api_version(Some(query));
        assert_eq!(of("a=b&api-version=1&api-version=2"), Some("1"));
        assert_eq!(of("API-Version=1"), Some("1"));
        assert_eq!(of("api%2Dversion=2024-10-21"), Some("2024-10-21"));
        assert_eq!(of("api-version"), None);
        assert_eq!(of("my-api-version=1"), None);
        assert_eq!(api_version(None), None);
    }
}
