//! An application that calls a provider through its own client, gives up when that takes too long,
//! and knows what each call used.
//!
//! `cargo run -p embed-client -- http://127.0.0.1:8080/v1/chat/completions "Hello!"` asks the
//! example gateway.

#[cfg(test)]
mod tests;

use std::{
    convert::Infallible,
    io::{self, Write},
    time::Duration,
};

use aigw_backends::{
    client::{Client, Config, ConfigError},
    leaf::Leaf,
    timeout::{TimeoutLayer, Timeouts},
};
use aigw_core::{
    BoxError,
    call::CallLayer,
    meter::{BoxMetered, MeterLayer, Metered},
    rt::Tokio,
};
use bytes::Bytes;
use http::{Request, Response, header::CONTENT_TYPE};
use http_body_util::{BodyExt, Full};
use serde_json::{Value, json};
use tower::{ServiceBuilder, ServiceExt, util::BoxCloneService};

/// A client whose answers know what they used.
type Provider = BoxCloneService<Request<Full<Bytes>>, Response<BoxMetered>, Infallible>;

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let mut args = std::env::args().skip(1);
    let (url, text) = args
        .next()
        .zip(args.next())
        .ok_or("which URL, and what to say?")?;
    let message = json!({"role": "user", "content": text});
    let body = json!({"model": "gpt-4o", "stream": true, "messages": [message]});
    let answer = ask(provider()?, &url, &body, &mut io::stdout()).await?;
    println!("used {:?}, {:?}", answer.meter().usage(), answer.ending());
    Ok(())
}

/// The client in our layers, made once: clones share its connections.
fn provider() -> Result<Provider, ConfigError> {
    let patience = Duration::from_secs(30);
    let timeouts = Timeouts::default().first_token(patience).idle(patience);
    let stack = ServiceBuilder::new()
        .layer(CallLayer::new())
        .layer(TimeoutLayer::new(timeouts, Tokio))
        .layer(MeterLayer::new())
        .service(Leaf::new(Client::try_new(Config::default())?));
    Ok(stack
        .map_response(|answer| answer.map(BoxMetered::new))
        .boxed_clone())
}

/// Writes an answer out as it comes, and gives back its body, which has been read to the end.
async fn ask(
    provider: Provider,
    url: &str,
    body: &Value,
    out: &mut impl Write,
) -> Result<BoxMetered, BoxError> {
    let request = Request::post(url)
        .header(CONTENT_TYPE, "application/json")
        .body(Full::from(body.to_string()))?;
    let mut answer = provider.oneshot(request).await?.into_body();
    while let Some(frame) = answer.frame().await.transpose()? {
        out.write_all(frame.data_ref().map_or(&[], |data| data))?;
    }
    Ok(answer)
}
