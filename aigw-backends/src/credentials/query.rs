use aigw_core::dialect::spelling;
use http::{Uri, uri::PathAndQuery};

/// Removes every `name=value` of the query whose name, unescaped, is one of `names` in any case.
/// Leaves the URL alone otherwise.
pub(super) fn without(uri: &Uri, names: &[Box<str>]) -> Option<Uri> {
    let query = uri.query()?;
    let hidden = |pair: &&str| {
        let name = pair.split('=').next().unwrap_or_default();
        names
            .iter()
            .any(|hidden| spelling::in_any_case(name, hidden))
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

#[cfg(test)]
mod tests {
    use super::*;

    fn stripped(uri: &'static str) -> String {
        let uri = Uri::from_static(uri);
        let names = ["api-key", "key"].map(Box::from);
        without(&uri, &names).unwrap_or(uri).to_string()
    }

    #[test]
    fn keys_are_removed_and_nothing_else() {
        assert_eq!(stripped("/p?a=1&key=x&b=2"), "/p?a=1&b=2");
        assert_eq!(stripped("/p?key=x"), "/p");
        assert_eq!(stripped("/p?key"), "/p");
        assert_eq!(stripped("/p?monkey=x&keys=y"), "/p?monkey=x&keys=y");
        assert_eq!(stripped("http://h:1/p?key=x&c=%20"), "http://h:1/p?c=%20");
    }

    #[test]
    fn a_key_cannot_hide_behind_its_spelling() {
        assert_eq!(stripped("/p?API%2dKey=x&api-key=y&%6bey=z"), "/p");
    }
}
