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
    let mut rest = match body.strip_prefix(delimiter).map(delimiter_line) {
        Some(Line::Delimiter(part)) => part,
        Some(Line::Last) => return Peek::Nothing,
        Some(Line::More) => return Peek::More,
        // What stands before the first delimiter means nothing (RFC 2046, section 5.1.1).
        Some(Line::Text) | None => match next_part(body, delimiter) {
            Some((_, Some(part))) => part,
            Some((_, None)) => return Peek::Nothing,
            None => return Peek::More,
        },
    };
    loop {
        let Some(end) = memmem::find(rest, b"\r\n\r\n") else {
            return Peek::More;
        };
        let (head, blank) = rest.split_at(end);
        let Some(name) = field_name(head) else { break };
        // The blank line may also be the one in front of the delimiter: then there is no content.
        let content = blank.strip_prefix(b"\r\n").unwrap_or_default();
        let Some((value, next)) = next_part(content, delimiter) else {
            return Peek::More;
        };
        if name == "model" {
            let value = value.strip_prefix(b"\r\n").unwrap_or(value);
            let value = String::from_utf8_lossy(value).into();
            if model.replace(value).is_some() {
                return Peek::Twice;
            }
        }
        match next {
            Some(part) => rest = part,
            None => break,
        }
    }
    model.map_or(Peek::Nothing, Peek::Model)
}

/// What stands behind a boundary at the beginning of a line.
enum Line<'b> {
    /// The rest of a delimiter line, with its CRLF and the part behind it.
    Delimiter(&'b [u8]),
    /// The dashes of the last delimiter.
    Last,
    /// Something else: the line only begins like a delimiter.
    Text,
    More,
}

fn delimiter_line(behind: &[u8]) -> Line<'_> {
    if behind.starts_with(b"--") {
        return Line::Last;
    }
    let blanks = behind
        .iter()
        .take_while(|byte| matches!(byte, b' ' | b'\t'));
    match behind.get(blanks.count()..).unwrap_or_default() {
        [] | [b'\r'] => Line::More,
        [b'-'] if behind.len() == 1 => Line::More,
        part if part.starts_with(b"\r\n") => Line::Delimiter(part),
        _ => Line::Text,
    }
}

/// What stands before the next delimiter, and the part behind it unless it is the last. `None`
/// when more must come.
fn next_part<'b>(bytes: &'b [u8], delimiter: &[u8]) -> Option<(&'b [u8], Option<&'b [u8]>)> {
    // A value may contain the boundary: only at the beginning of a line is it a delimiter.
    for end in memmem::find_iter(bytes, b"\r\n") {
        let (before, line) = bytes.split_at_checked(end)?;
        let Some(behind) = line.get(2..)?.strip_prefix(delimiter) else {
            continue;
        };
        match delimiter_line(behind) {
            Line::Delimiter(part) => return Some((before, Some(part))),
            Line::Last => return Some((before, None)),
            Line::More => return None,
            Line::Text => {}
        }
    }
    None
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
    let mut rest = parameters;
    while !rest.is_empty() {
        let (pair, tail) = rest.split_at_checked(parameter_len(rest))?;
        rest = tail.strip_prefix(';').unwrap_or(tail);
        if let Some((known, value)) = pair.split_once('=')
            && known.trim().eq_ignore_ascii_case(name)
        {
            let value = value.trim();
            let quoted = value.strip_prefix('"').and_then(|v| v.strip_suffix('"'));
            return Some(quoted.unwrap_or(value));
        }
    }
    None
}

/// How many bytes stand before the next semicolon outside quotes (RFC 9110, section 5.6.6).
fn parameter_len(parameters: &str) -> usize {
    let (mut quoted, mut escaped) = (false, false);
    let ends = |byte| {
        let plain = !std::mem::take(&mut escaped);
        match byte {
            b'\\' => escaped = plain && quoted,
            b'"' if plain => quoted = !quoted,
            _ => {}
        }
        byte == b';' && !quoted
    };
    let end = parameters.bytes().position(ends);
    end.unwrap_or(parameters.len())
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
    fn a_boundary_inside_a_value_delimits_nothing() {
        let smuggled = FORM.replace(
            "en\r\n",
            "a--b\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nx\r\n--bb\r\n",
        );
        assert_eq!(
            peek(smuggled.as_bytes(), b"--b"),
            Peek::Model("whisper-1".into())
        );
    }

    #[test]
    fn a_field_may_be_empty_and_a_preamble_means_nothing() {
        for content in ["", "\r\n"] {
            let empty = FORM.replace("\r\nwhisper-1", content);
            let empty = format!("preamble\r\n{empty}");
            assert_eq!(peek(empty.as_bytes(), b"--b"), Peek::Model("".into()));
        }
    }

    #[test]
    fn a_semicolon_in_quotes_parts_nothing() {
        let odd = FORM.replace(
            "form-data; name=\"language\"",
            r#"form-data; x="; name=model; \"; filename=y"; name=z"#,
        );
        assert_eq!(
            peek(odd.as_bytes(), b"--b"),
            Peek::Model("whisper-1".into())
        );
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
