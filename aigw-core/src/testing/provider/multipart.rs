//! The text fields of a form upload (RFC 7578), enough to find the model and the options.

use http::{HeaderMap, header};
use memchr::memmem;
use serde_json::{Map, Value};

/// The fields of the form that are texts; files are left out. `None` if it is no form.
pub(super) fn fields(headers: &HeaderMap, body: &[u8]) -> Option<Value> {
    let content_type = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    let (kind, parameters) = content_type.split_once(';')?;
    if !kind.trim().eq_ignore_ascii_case("multipart/form-data") {
        return None;
    }
    let boundary = parameters
        .split(';')
        .find_map(|parameter| parameter.trim().strip_prefix("boundary="))?;
    let delimiter = format!("--{}", boundary.trim_matches('"'));
    let mut fields = Map::new();
    let starts: Vec<usize> = memmem::find_iter(body, delimiter.as_bytes()).collect();
    for (start, end) in starts.iter().zip(starts.iter().skip(1)) {
        let part = body.get(start + delimiter.len()..*end)?;
        if let Some((name, text)) = text_field(part) {
            fields.insert(name.into(), text.into());
        }
    }
    Some(Value::Object(fields))
}

fn text_field(part: &[u8]) -> Option<(&str, &str)> {
    let split = memmem::find(part, b"\r\n\r\n")?;
    let head = std::str::from_utf8(part.get(..split)?).ok()?;
    let text = std::str::from_utf8(part.get(split + 4..)?).ok()?;
    if head.contains("filename=") {
        return None;
    }
    let (_, name) = head.split_once("name=\"")?;
    Some((
        name.split('"').next()?,
        text.strip_suffix("\r\n").unwrap_or(text),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_texts_and_leaves_files_out() {
        let mut headers = HeaderMap::new();
        let kind = "multipart/form-data; boundary=xyz".parse().unwrap();
        headers.insert(header::CONTENT_TYPE, kind);
        let body = b"--xyz\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nwhisper-1\r\n\
            --xyz\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\n\xff\r\n\
            --xyz--\r\n";
        let fields = fields(&headers, body).unwrap();
        assert_eq!(fields, serde_json::json!({"model": "whisper-1"}));
    }
}
