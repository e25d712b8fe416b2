//! What headers say of a body, read the same way in requests and answers.

use http::{HeaderMap, header};

/// The media type without its parameters, in whichever case it was sent; empty where it is no text.
pub(crate) fn media_type(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::CONTENT_TYPE)?.as_bytes();
    let media = value.split(|byte| *byte == b';').next();
    media.map(|media| str::from_utf8(media).unwrap_or_default().trim())
}

/// The first encoding other than `identity`: the body cannot be read as it is.
pub(crate) fn encoding(headers: &HeaderMap) -> Option<&str> {
    let encodings = headers.get_all(header::CONTENT_ENCODING).iter();
    encodings
        .map(|encoding| encoding.to_str().unwrap_or("unknown"))
        .find(|encoding| !encoding.eq_ignore_ascii_case("identity"))
}
