//! What stands in the query of a URL, and the URL without it.
//!
//! # Examples
//!
//! ```
//! use aigw_core::dialect::query;
//! use http::Uri;
//!
//! let uri = Uri::from_static("/chat?a=b&Api%2dKey=s%2Dk");
//! let values: Vec<_> = query::values(uri.query(), "api-key").collect();
//! assert_eq!(values, ["s%2Dk"]);
//! assert_eq!(query::without(&uri, &["api-key"]).unwrap(), "/chat?a=b");
//! ```

use http::{Uri, uri::PathAndQuery};

use super::spelling;

/// The values of every `name=value` whose name, unescaped, is `name` in any case, as they stand.
pub fn values<'q>(query: Option<&'q str>, name: &str) -> impl Iterator<Item = &'q str> {
    let pairs = query.into_iter().flat_map(|query| query.split('&'));
    let pairs = pairs.filter_map(|pair| pair.split_once('='));
    pairs.filter_map(move |(written, value)| spelling::in_any_case(written, name).then_some(value))
}

/// The URL without every `name` and `name=value` of its query whose name, unescaped, is one of
/// `names` in any case. `None` where there is nothing to take out.
#[must_use]
pub fn without(uri: &Uri, names: &[impl AsRef<str>]) -> Option<Uri> {
    let query = uri.query()?;
    let hidden = |pair: &&str| {
        let name = pair.split('=').next().unwrap_or_default();
        names
            .iter()
            .any(|hidden| spelling::in_any_case(name, hidden.as_ref()))
    };
    if !query.split('&').any(|pair| hidden(&pair)) {
        return None;
    }
    let kept: Vec<&str> = query.split('&').filter(|pair| !hidden(pair)).collect();
    let rest = if kept.is_empty() {
        uri.path().to_owned()
    } else {
        format!("{}?{}", uri.path(), kept.join("&"))
    };
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(PathAndQuery::try_from(rest).ok()?);
    Uri::from_parts(parts).ok()
}

/// The first `api-version`, as it stands. Azure reads the name in any case.
pub(super) fn api_version(query: Option<&str>) -> Option<&str> {
    values(query, "api-version").next()
}

/// The value of the first `name=value`, as it stands.
#[cfg(feature = "test-util")]
pub(crate) fn query_value<'q>(query: Option<&'q str>, name: &str) -> Option<&'q str> {
    let mut pairs = query?.split('&').filter_map(|pair| pair.split_once('='));
    pairs.find_map(|(written, value)| (written == name).then_some(value))
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

    #[test]
    fn every_value_of_a_name_is_found_however_it_is_spelt() {
        let of = |query| values(Some(query), "api-key").collect::<Vec<_>>();
        assert_eq!(of("api-key=1&a=b&API%2DKey=2=3"), ["1", "2=3"]);
        assert_eq!(of("api-key&my-api-key=1&api-keys=2"), [""; 0]);
        assert_eq!(values(None, "api-key").count(), 0);
    }

    fn stripped(uri: &'static str) -> String {
        let uri = Uri::from_static(uri);
        without(&uri, &["api-key", "key"])
            .unwrap_or(uri)
            .to_string()
    }

    #[test]
    fn names_are_taken_out_and_nothing_else() {
        assert_eq!(stripped("/p?a=1&key=x&b=2"), "/p?a=1&b=2");
        assert_eq!(stripped("/p?key=x"), "/p");
        assert_eq!(stripped("/p?key"), "/p");
        assert_eq!(stripped("/p?monkey=x&keys=y"), "/p?monkey=x&keys=y");
        assert_eq!(stripped("http://h:1/p?key=x&c=%20"), "http://h:1/p?c=%20");
    }

    #[test]
    fn a_name_cannot_hide_behind_its_spelling() {
        assert_eq!(stripped("/p?API%2dKey=x&api-key=y&%6bey=z"), "/p");
    }
}
