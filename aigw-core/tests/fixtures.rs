//! Every recorded answer through call and meter: the bytes pass, and the meter reads what
//! `fixtures/index.json` says, whatever the pieces.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::{
    collections::VecDeque,
    convert::Infallible,
    fs,
    path::Path,
    pin::{Pin, pin},
    task::{Context, Poll},
};

use aigw_core::{
    call::CallLayer,
    meter::{Ending, FinishReason, IncludeUsage, MeterLayer, Metered},
};
use bytes::Bytes;
use http::{Request, Response, header};
use http_body::{Body, Frame};
use http_body_util::{BodyExt, Full};
use serde_json::{Map, Value, json};
use tower::{Layer, ServiceExt, service_fn};

#[tokio::test]
async fn every_fixture_reads_as_its_index_says() {
    let mut wrong = Vec::new();
    for (entry, bytes) in fixtures() {
        for size in [usize::MAX, 1000, 7, 1] {
            let read = read(&entry, &bytes, size).await;
            for (fact, value) in read.as_object().unwrap() {
                // The index leaves out what its source does not state.
                let expected = entry.get(fact).unwrap_or(value);
                if value != expected {
                    let file = &entry["file"];
                    wrong.push(format!(
                        "{file} by {size}: {fact} is {value}, not {expected}"
                    ));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_file_is_in_the_index() {
    let mut listed: Vec<String> = fixtures()
        .iter()
        .map(|(entry, _)| entry["file"].as_str().unwrap().to_owned())
        .chain(["README.md".to_owned(), "index.json".to_owned()])
        .collect();
    let mut present: Vec<String> = fs::read_dir(folder())
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect();
    listed.sort();
    present.sort();
    assert_eq!(listed, present);
}

fn folder() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures"))
}

fn fixtures() -> Vec<(Value, Bytes)> {
    let index = fs::read(folder().join("index.json")).unwrap();
    let entries: Vec<Value> = serde_json::from_slice(&index).unwrap();
    let with_bytes = |entry: Value| {
        let bytes = fs::read(folder().join(entry["file"].as_str().unwrap())).unwrap();
        (entry, bytes.into())
    };
    entries.into_iter().map(with_bytes).collect()
}

/// Sends a fixture through the stack in pieces of `size` bytes and tells what was read of it, in
/// the words of the index.
async fn read(entry: &Value, bytes: &Bytes, size: usize) -> Value {
    let content_type = entry["content_type"].as_str().unwrap();
    let provider = service_fn(|_| {
        let pieces = Pieces(bytes.chunks(size).map(Bytes::copy_from_slice).collect());
        let response = Response::builder().header(header::CONTENT_TYPE, content_type);
        std::future::ready(Ok::<_, Infallible>(response.body(pieces).unwrap()))
    });
    let meter = MeterLayer::new().include_usage(IncludeUsage::Never);
    let stack = CallLayer::new().layer(meter.layer(provider));
    let stream = content_type.starts_with("text/event-stream");
    let ask = json!({"model": "asked", "stream": stream, "messages": [], "n": entry["choices"]});
    let request = Request::post(entry["path"].as_str().unwrap())
        .header(header::CONTENT_TYPE, "application/json")
        .body(Full::<Bytes>::from(ask.to_string()))
        .unwrap();
    let response = stack.oneshot(request).await.unwrap();
    assert_eq!(response.status(), 200, "{}", entry["file"]);
    let mut body = pin!(response.into_body());
    let mut passed = Vec::new();
    while let Some(frame) = body.as_mut().frame().await {
        passed.extend_from_slice(&frame.unwrap().into_data().unwrap());
    }
    assert!(passed == *bytes, "{}: bytes differ", entry["file"]);
    let meter = body.meter();
    let counts: Map<String, Value> = meter
        .reported()
        .iter()
        .map(|(kind, count)| (kind.as_str().to_owned(), count.into()))
        .collect();
    let error = meter.in_band_error();
    json!({
        "usage": (!counts.is_empty()).then_some(counts),
        "model": meter.model(),
        "finish": meter.finish().map(FinishReason::as_str),
        "ending": Ending::as_str(body.ending()),
        "error": error.map(|error| json!({"code": error.code, "message": error.message})),
        "content_bytes": meter.content_bytes(),
    })
}

/// A body in pieces.
struct Pieces(VecDeque<Bytes>);

impl Body for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.0.pop_front().map(|piece| Ok(Frame::data(piece))))
    }
}
