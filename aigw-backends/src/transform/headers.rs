use http::{
    HeaderMap, HeaderName, HeaderValue, Method,
    header::{
        ACCEPT_ENCODING, ALT_SVC, CONNECTION, CONTENT_LENGTH, EXPECT, HOST, PROXY_AUTHENTICATE,
        PROXY_AUTHORIZATION, SET_COOKIE, STRICT_TRANSPORT_SECURITY, TE, TRANSFER_ENCODING, UPGRADE,
    },
};

/// Headers that speak of one connection, whether `connection` lists them or not. `trailer` is not
/// one of them: trailers are passed on.
const HOP_BY_HOP: [HeaderName; 9] = [
    CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    HeaderName::from_static("http2-settings"),
    PROXY_AUTHENTICATE,
    PROXY_AUTHORIZATION,
    TE,
    TRANSFER_ENCODING,
    UPGRADE,
];

/// Where some servers look for a method other than that of the request line.
const METHOD_OVERRIDES: [HeaderName; 3] = [
    HeaderName::from_static("x-http-method"),
    HeaderName::from_static("x-http-method-override"),
    HeaderName::from_static("x-method-override"),
];

/// Removes what belongs to the connection it came on (RFC 9110, section 7.6.1).
fn strip_hop_by_hop(headers: &mut HeaderMap) {
    let listed: Vec<HeaderName> = headers
        .get_all(CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| HeaderName::from_bytes(name.trim().as_bytes()).ok())
        // Nobody may have us remove what says how long the body is.
        .filter(|name| *name != CONTENT_LENGTH)
        .collect();
    for name in listed.iter().chain(&HOP_BY_HOP) {
        headers.remove(name);
    }
}

/// Makes the provider's headers those of our own answer.
pub(super) fn prepare_answer(headers: &mut HeaderMap) {
    strip_hop_by_hop(headers);
    // It names another place for the provider's host, and would be taken for one of ours: clients
    // would go past the gateway.
    headers.remove(ALT_SVC);
    // A promise for the provider's host, which browsers would hold ours to, for a year.
    headers.remove(STRICT_TRANSPORT_SECURITY);
    // A session of the provider's, or of the network in front of it, with us. Every caller would
    // be given the same one, and send it back to a host that never set it.
    headers.remove(SET_COOKIE);
}

/// Makes the caller's headers those of our own request. `length` is that of the body, where it is
/// known.
pub(super) fn prepare_request(headers: &mut HeaderMap, method: &Method, length: Option<u64>) {
    let trailers = headers.get_all(TE).iter().any(accepts_trailers);
    strip_hop_by_hop(headers);
    if trailers {
        headers.insert(TE, HeaderValue::from_static("trailers"));
    }
    // The client states the host of the URL it connects to, HTTP/2 in a form of its own; and
    // whoever waited for `100 Continue` has been told to go on by the server that took the request.
    headers.remove(HOST);
    // Google would take the method from here, and we have decided by another one.
    for name in METHOD_OVERRIDES {
        headers.remove(name);
    }
    headers.remove(EXPECT);
    headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    match length {
        Some(0) if !expects_body(method) => headers.remove(CONTENT_LENGTH),
        Some(length) => headers.insert(CONTENT_LENGTH, length.into()),
        None => headers.remove(CONTENT_LENGTH),
    };
}

fn accepts_trailers(value: &HeaderValue) -> bool {
    value.to_str().is_ok_and(|value| {
        value
            .split(',')
            .any(|coding| coding.trim().eq_ignore_ascii_case("trailers"))
    })
}

/// Whether a request without a body must say so.
fn expects_body(method: &Method) -> bool {
    matches!(*method, Method::POST | Method::PUT | Method::PATCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| {
                (
                    HeaderName::from_static(name),
                    HeaderValue::from_static(value),
                )
            })
            .collect()
    }

    #[test]
    fn what_belongs_to_the_connection_is_removed() {
        let mut headers = map(&[
            ("connection", "close, X-Hop"),
            ("x-hop", "1"),
            ("keep-alive", "timeout=5"),
            ("proxy-authorization", "Basic x"),
            ("transfer-encoding", "chunked"),
            ("upgrade", "h2c"),
            ("trailer", "x-checksum"),
            ("x-end", "1"),
        ]);
        strip_hop_by_hop(&mut headers);
        assert_eq!(headers, map(&[("trailer", "x-checksum"), ("x-end", "1")]));
    }

    #[test]
    fn the_length_cannot_be_removed_by_naming_it() {
        let mut headers = map(&[("connection", "content-length"), ("content-length", "2")]);
        strip_hop_by_hop(&mut headers);
        assert_eq!(headers, map(&[("content-length", "2")]));
    }

    #[test]
    fn a_request_is_our_own_from_here_on() {
        let mut headers = map(&[
            ("host", "gateway"),
            ("expect", "100-continue"),
            ("accept-encoding", "gzip, br"),
            ("content-length", "10"),
            ("te", "trailers, deflate"),
            ("x-http-method-override", "DELETE"),
        ]);
        prepare_request(&mut headers, &Method::POST, Some(12));
        let expected = map(&[
            ("accept-encoding", "identity"),
            ("content-length", "12"),
            ("te", "trailers"),
        ]);
        assert_eq!(headers, expected);
    }

    #[test]
    fn what_the_provider_says_of_its_own_host_is_not_said_of_ours() {
        let mut headers = map(&[
            ("alt-svc", "h3=\":443\"; ma=86400"),
            ("set-cookie", "__cf_bm=1; Domain=api.openai.com"),
            ("set-cookie", "_cfuvid=2"),
            ("strict-transport-security", "max-age=31536000"),
            ("connection", "x-hop"),
            ("x-hop", "1"),
            ("x-request-id", "r-1"),
        ]);
        prepare_answer(&mut headers);
        assert_eq!(headers, map(&[("x-request-id", "r-1")]));
    }

    #[test]
    fn only_a_method_with_a_body_says_that_it_is_empty() {
        let mut headers = map(&[("content-length", "0")]);
        prepare_request(&mut headers, &Method::GET, Some(0));
        assert!(!headers.contains_key(CONTENT_LENGTH));
        prepare_request(&mut headers, &Method::POST, Some(0));
        assert_eq!(headers[CONTENT_LENGTH], "0");
    }
}
