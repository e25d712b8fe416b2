//! GPT-4o inferencing: images, by URL and in the request, and audio reach the provider byte for
//! byte, whoever the provider is. A stream is asked for its usage with a few bytes more, and not
//! one byte less.
//!
//! `cargo run -p aigw-examples --example gpt4o_inferencing`.
#![expect(clippy::print_stdout, reason = "a lab shows what it finds")]

use std::sync::mpsc;

use aigw_backends::transform::{TransformLayer, Upstream};
use aigw_core::{
    BoxError, around,
    dialect::Dialect,
    meter::{Ended, ReportLayer},
    rt::Tokio,
    testing::Provider,
};
use aigw_examples::lab;
use bytes::Bytes;
use http_body_util::BodyExt;
use tower::{ServiceBuilder, ServiceExt};

/// A question with all the parts that GPT-4o takes, as a client wrote it: with blanks, an escape,
/// an unknown field and a number in a form of its own, none of which may change on the way.
const PARTS: &str = r#"[
    {"type": "text", "text": "What\u2019s in the picture, and what is said?"},
    {"type": "image_url",
     "image_url": {"url": "https://images.test/cat.png?size=1.0E2", "detail": "low"}},
    {"type": "image_url",
     "image_url": {"url": "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ"}},
    {"type": "input_audio", "x_gain": 1.50e0,
     "input_audio": {"data": "UklGRiQAAABXQVZFZm10IBAAAAABAAEA", "format": "wav"}} ]"#;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), BoxError> {
    let openai = Upstream::try_new("https://api.openai.test".parse()?, Dialect::OpenAi)?;
    let azure = Upstream::try_new("https://eus.azure.test".parse()?, Dialect::AzureOpenAi)?
        .deployment("gpt-4o", "gpt4o-prod")
        .api_version("2024-10-21");

    for upstream in [openai, azure] {
        let (whole, path) = pass(&upstream, body(false)).await?;
        assert_eq!(whole, body(false), "the same bytes");

        let (streamed, _) = pass(&upstream, body(true)).await?;
        assert!(
            str::from_utf8(&streamed)?.contains(PARTS),
            "the parts as they were"
        );
        let added = added(body(true), &streamed)?;
        assert_eq!(added, r#""stream_options":{"include_usage":true},"#);
        println!(
            "{path}: {} bytes passed; a stream has {added} more",
            whole.len()
        );
    }
    Ok(())
}

fn body(stream: bool) -> Bytes {
    let model = r#""model": "gpt-4o""#;
    let text = format!(
        r#"{{ {model}, "stream": {stream}, "messages": [{{"role": "user", "content": {PARTS}}}]}}"#
    );
    text.into()
}

/// Sends a body through the gateway, checks the answer, and gives back what the provider received:
/// the body, and the path.
async fn pass(upstream: &Upstream, body: Bytes) -> Result<(Bytes, String), BoxError> {
    let provider = Provider::new(Tokio);
    let (report, told) = mpsc::channel();
    let gateway = ServiceBuilder::new()
        .layer(around(ReportLayer::new(move |ended: &Ended<'_>| {
            let _ = report.send(ended.meter.usage().input());
        })))
        .layer(TransformLayer::new(upstream.clone()))
        .service(provider.clone());
    let answer = gateway
        .oneshot(lab::post("/v1/chat/completions", body)?)
        .await?;
    assert_eq!(answer.status(), 200);
    answer.into_body().collect().await?;
    // 85 tokens for each image: what a provider charges for it is part of the usage.
    assert!(told.try_recv()? > Some(170));
    let received = provider.calls().pop().ok_or("the provider saw no call")?;
    let path = received.path().to_owned();
    Ok((received.body, path))
}

/// What stands in `received` and not in `sent`, which is otherwise the same.
fn added(sent: Bytes, received: &Bytes) -> Result<String, BoxError> {
    let same = sent
        .iter()
        .zip(received)
        .take_while(|(a, b)| a == b)
        .count();
    let more = received
        .len()
        .checked_sub(sent.len())
        .ok_or("bytes are missing")?;
    let added = received.slice(same..same + more);
    let rest = received.slice(same + more..);
    assert_eq!(rest, sent.slice(same..), "nothing else has changed");
    Ok(String::from_utf8(added.to_vec())?)
}

#[test]
fn the_lab_finds_what_it_says() -> Result<(), BoxError> {
    main()
}
