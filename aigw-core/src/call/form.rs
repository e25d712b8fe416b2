//! Reads the form fields in front of an upload: pure.

use http::{HeaderMap, header};
use memchr::memmem;

/// What the beginning of a `multipart/form-data` body says of the model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Peek {
    /// More must come before it is known.
    More,
    /// The field `model`.
    Model(Box<str>),
    /// There is none before the first file.
    Nothing,
    /// There are two.
    Twice,
}

/// The boundary of a multipart form (RFC 7578), if the headers announce one.
pub(super) fn boundary(headers: &HeaderMap) -> Option<Box<[u8]>> {
    let value = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    let (media, parameters) = value.split_once(';')?;
    if !media.trim().eq_ignore_ascii_case("multipart/form-data") {
        return None;
    }
    let boundary = parameter(parameters, "boundary")?;
    (!boundary.is_empty()).then(|| format!("--{boundary}").into_bytes().into())
}

/// Reads as far as the first file; `delimiter` is the boundary with its two dashes.
pub(super) fn peek(body: &[u8], delimiter: &[u8]) -> Peek {
    let mut model = None;
    let mut rest = body;
    loop {
        let Some(part) = after(rest, delimiter) else {
            return Peek::More;
        };
        if part.starts_with(b"--") {
            break;
        }
        let Some(head) = memmem::find(part, b"\r\n\r\n") else {
            return Peek::More;
        };
        let (head, content) = part.split_at(head);
        let Some(name) = field_name(head) else { break };
        let content = content.strip_prefix(b"\r\n\r\n").unwrap_or_default();
        let Some(end) = memmem::find(content, delimiter) else {
            return Peek::More;
        };
        let (value, next) = content.split_at(end);
        if name == "model" {
            let value = value.strip_suffix(b"\r\n").unwrap_or(value);
            let value = String::from_utf8_lossy(value).into();
            if model.replace(value).is_some() {
                return Peek::Twice;
            }
        }
        rest = next;
    }
    model.map_or(Peek::Nothing, Peek::Model)
}

fn after<'b>(bytes: &'b [u8], mark: &[u8]) -> Option<&'b [u8]> {
    bytes.get(memmem::find(bytes, mark)? + mark.len()..)
}

/// The name of a field; `None` for a file, and for a part without a name.
fn field_name(head: &[u8]) -> Option<String> {
    let head = String::from_utf8_lossy(head);
    let disposition = head.split("\r\n").find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.trim()
            .eq_ignore_ascii_case("content-disposition")
            .then_some(value)
    })?;
    if parameter(disposition, "filename")
        .or_else(|| parameter(disposition, "filename*"))
        .is_some()
    {
        return None;
    }
    parameter(disposition, "name").map(str::to_owned)
}

/// The value of `name=value` or `name="value"` among parameters that semicolons part.
fn parameter<'v>(parameters: &'v str, name: &str) -> Option<&'v str> {
    parameters.split(';').find_map(|pair| {
        let (known, value) = pair.split_once('=')?;
        known
            .trim()
            .eq_ignore_ascii_case(name)
            .then(|| value.trim().trim_matches('"'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const FORM: &str = "--b\r\ncontent-disposition: form-data; name=\"language\"\r\n\r\nen\r\n\
        --b\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nwhisper-1\r\n\
        --b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.wav\"\r\n\r\nmodel\r\n--b--\r\n";

    #[test]
    fn finds_the_model_before_the_first_file() {
        assert_eq!(
            peek(FORM.as_bytes(), b"--b"),
            Peek::Model("whisper-1".into())
        );
    }

    #[test]
    fn asks_for_more_until_it_is_known() {
        let known = FORM.find("\r\n\r\nmodel").unwrap() + 4;
        for end in 0..known {
            assert_eq!(peek(&FORM.as_bytes()[..end], b"--b"), Peek::More, "{end}");
        }
        assert_eq!(
            peek(&FORM.as_bytes()[..known], b"--b"),
            Peek::Model("whisper-1".into())
        );
    }

    #[test]
    fn a_form_may_have_none_or_wrongly_two() {
        let file = FORM.replace("name=\"model\"", "name=\"model\"; filename=\"m\"");
        assert_eq!(peek(file.as_bytes(), b"--b"), Peek::Nothing);
        let twice = FORM.replace("language", "model");
        assert_eq!(peek(twice.as_bytes(), b"--b"), Peek::Twice);
        assert_eq!(peek(b"--b--", b"--b"), Peek::Nothing);
    }

    #[test]
    fn reads_the_boundary_with_or_without_quotes() {
        let mut headers = HeaderMap::new();
        for value in [
            "multipart/form-data; boundary=x",
            "Multipart/Form-Data; a=b; boundary=\"x\"",
        ] {
            headers.insert(header::CONTENT_TYPE, value.parse().unwrap());
            assert_eq!(boundary(&headers).as_deref(), Some(&b"--x"[..]));
        }
        headers.insert(header::CONTENT_TYPE, "application/json".parse().unwrap());
        assert_eq!(boundary(&headers), None);
    }
}
