//! Response streaming: tokens pass one by one, each at the time at which the model says it, and
//! what they cost is known at the end although the client did not ask for it and is shown nothing
//! of it.
//!
//! `cargo run -p aigw-examples --example response_streaming`. Time is virtual: the lab takes no
//! longer than its work.
#![expect(
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a lab shows what it finds, and fails where it does not find it"
)]

use std::{sync::mpsc, time::Duration};

use aigw_core::{
    BoxError,
    call::CallLayer,
    meter::{Ended, Ending, MeterLayer, ReportLayer},
    rt::Tokio,
    testing::{Provider, provider},
    usage::Source,
};
use aigw_examples::lab;
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tokio::time::Instant;
use tower::{ServiceBuilder, ServiceExt};

const FIRST_TOKEN: Duration = Duration::from_millis(400);
const EACH_TOKEN: Duration = Duration::from_millis(50);

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> Result<(), BoxError> {
    // A model that thinks for a while and then talks steadily.
    let model = provider::Config::default()
        .time_to_first_token(FIRST_TOKEN)
        .time_per_token(EACH_TOKEN);
    let provider = Provider::with_config(model, Tokio);

    // The gateway in front of it tells what each call used, once it is over.
    let (report, told) = mpsc::channel();
    let gateway = ServiceBuilder::new()
        .layer(CallLayer::new())
        .layer(ReportLayer::new(move |ended: &Ended<'_>| {
            let _ = report.send((ended.meter.clone(), ended.ending));
        }))
        .layer(MeterLayer::new().with_clock(Tokio))
        .service(provider.clone());

    // The client asks for a stream, and not for its usage.
    let question = json!({"role": "user", "content": "Tell me a short story."});
    let body = json!({"model": "gpt-4o", "stream": true, "messages": [question]});
    let begun = Instant::now();
    let answer = gateway
        .oneshot(lab::post("/v1/chat/completions", body.to_string())?)
        .await?;
    let mut answer = answer.into_body();

    let (mut tokens, mut times) = (Vec::new(), Vec::new());
    let mut last = String::new();
    while let Some(frame) = answer.frame().await.transpose()? {
        let event = frame.into_data().unwrap_or_default();
        last = str::from_utf8(&event)?.trim().to_owned();
        let Ok(chunk) = last.trim_start_matches("data: ").parse::<Value>() else {
            continue;
        };
        assert!(chunk["usage"].is_null(), "nobody asked for {event:?}");
        if let Some(token) = chunk["choices"][0]["delta"]["content"].as_str()
            && !token.is_empty()
        {
            println!("{:>6.0?}  {token:?}", begun.elapsed());
            tokens.push(token.to_owned());
            times.push(begun.elapsed());
        }
    }
    assert_eq!(last, "data: [DONE]");
    assert_eq!(tokens.concat(), "You said: Tell me a short story.");

    // Nothing was held back: each token passed at the time at which it was said.
    let said = (0..).map(|token| FIRST_TOKEN + token * EACH_TOKEN);
    assert!(
        times.iter().copied().eq(said.take(tokens.len())),
        "{times:?}"
    );

    // The provider was asked for the usage, and stated it.
    let sent = provider
        .calls()
        .pop()
        .and_then(|call| call.json())
        .unwrap_or_default();
    assert_eq!(sent["stream_options"]["include_usage"], true);
    let (meter, ending) = told.try_recv()?;
    println!("{:?}, {:?}, {ending:?}", meter.source(), meter.usage());
    assert_eq!(
        (meter.source(), ending),
        (Source::Reported, Ending::Complete)
    );
    assert_eq!(meter.usage().output(), Some(tokens.len() as u64));
    let first = meter.first_content().map(Instant::from_std);
    assert_eq!(first, Some(begun + FIRST_TOKEN));
    Ok(())
}

#[test]
fn the_lab_finds_what_it_says() -> Result<(), BoxError> {
    main()
}
