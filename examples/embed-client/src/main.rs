//! An application that calls a provider through its own client, gives up when that takes too long,
//! knows what each call used, and asks for no more than its account there has left.
//!
//! ```sh
//! cargo run -p embed-client -- https://api.openai.com/v1/chat/completions "Hello!"
//! ```
//!
//! Sends the key in `OPENAI_API_KEY`, if there is one, and prints the events of the answer as they
//! come, then on stderr `used {"input": 9, …, "output": 5, …}, complete, 29986 tokens left`. What the
//! provider says in place of an answer goes to stderr, and the program exits with 1.
//!
//! With `cargo run -p aigw-examples --bin gateway` running elsewhere,
//! `http://127.0.0.1:8080/v1/chat/completions` asks the example gateway, which wants no key.

#[cfg(test)]
mod tests;

use std::{
    convert::Infallible,
    env,
    io::{self, Write},
    process::ExitCode,
    time::Duration,
};

use aigw_backends::{
    client::{Client, Config},
    leaf::Leaf,
    timeout::{TimeoutLayer, Timeouts},
};
use aigw_core::{
    BoxError,
    call::CallLayer,
    meter::{BoxMetered, MeterLayer, Metered},
    rt::Tokio,
};
use aigw_policies::{
    budget::{MemoryStore, Rate},
    token_limit::{Budget, OnOpaque, TokenLimitLayer},
    tokens::Fast,
};
use bytes::Bytes;
use http::{
    HeaderValue, Request, Response, StatusCode,
    header::{AUTHORIZATION, CONTENT_TYPE, InvalidHeaderValue},
};
use http_body_util::{BodyExt, Full};
use serde_json::{Value, json};
use tower::{ServiceBuilder, ServiceExt, util::BoxCloneService};

/// A client whose answers know what they used.
type Provider = BoxCloneService<Request<Full<Bytes>>, Response<BoxMetered>, Infallible>;

#[tokio::main]
async fn main() -> ExitCode {
    let args: Vec<String> = env::args().skip(1).collect();
    let said = match &args[..] {
        [url, text] if url.starts_with("http") => say(url, text).await,
        _ => {
            eprintln!("usage: embed-client URL TEXT");
            return ExitCode::from(2);
        }
    };
    if let Err(error) = said {
        eprintln!("{error}");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

async fn say(url: &str, text: &str) -> Result<(), BoxError> {
    let message = json!({"role": "user", "content": text});
    let body = json!({"model": "gpt-4o", "stream": true, "messages": [message]});
    let account = account()?;
    let answer = ask(provider(&account)?, url, bearer()?, &body).await?;
    let read = write(answer, &mut io::stdout()).await?;
    let (ending, used) = (read.ending().as_str(), read.meter().usage());
    let left = account.handle().left("account", &[]).await?;
    let left = left.map_or(0, |left| left.remaining);
    eprintln!("used {used:?}, {ending}, {left} tokens left");
    Ok(())
}

/// The key in the environment, as the header that shows it.
fn bearer() -> Result<Option<HeaderValue>, InvalidHeaderValue> {
    #[allow(clippy::disallowed_methods, reason = "a program may, a library not")]
    let Ok(key) = env::var("OPENAI_API_KEY") else {
        return Ok(None);
    };
    let mut bearer = HeaderValue::try_from(format!("Bearer {key}"))?;
    bearer.set_sensitive(true);
    Ok(Some(bearer))
}

/// What the account at the provider admits, as far as it is known: what its answers say of it
/// corrects a first guess, so that a call which it would refuse is refused here, with the time
/// until it would not be.
fn account() -> Result<TokenLimitLayer<MemoryStore>, BoxError> {
    let guess = Rate::try_new(30_000, Duration::from_secs(60))?;
    let budget = Budget::new("account", guess).follows_provider();
    let limit = TokenLimitLayer::try_new([budget], MemoryStore::new(), OnOpaque::Pass)?;
    Ok(limit.estimator(Fast::new()))
}

/// The client in our layers, made once: clones share its connections.
fn provider(account: &TokenLimitLayer<MemoryStore>) -> Result<Provider, BoxError> {
    let patience = Duration::from_secs(30);
    let timeouts = Timeouts::default().first_token(patience).idle(patience);
    let stack = ServiceBuilder::new()
        .layer(CallLayer::new())
        .layer(account.clone())
        .layer(TimeoutLayer::try_new(timeouts, Tokio)?)
        .layer(MeterLayer::new())
        .service(Leaf::new(Client::try_new(Config::default())?));
    Ok(stack
        .map_response(|answer| answer.map(BoxMetered::new))
        .boxed_clone())
}

async fn ask(
    provider: Provider,
    url: &str,
    bearer: Option<HeaderValue>,
    body: &Value,
) -> Result<Response<BoxMetered>, BoxError> {
    let mut request = Request::post(url)
        .header(CONTENT_TYPE, "application/json")
        .body(Full::from(body.to_string()))?;
    let bearer = bearer.map(|bearer| (AUTHORIZATION, bearer));
    request.headers_mut().extend(bearer);
    Ok(provider.oneshot(request).await?)
}

/// Writes an answer out as it comes, and gives back its body, which has been read to the end.
async fn write(answer: Response<BoxMetered>, out: &mut impl Write) -> Result<BoxMetered, BoxError> {
    let status = answer.status();
    let mut body = answer.into_body();
    if !status.is_success() {
        return Err(why(status, &body.collect().await?.to_bytes()).into());
    }
    while let Some(frame) = body.frame().await.transpose()? {
        out.write_all(frame.data_ref().map_or(&[], |data| data))?;
        out.flush()?;
    }
    Ok(body)
}

/// What a provider, or one of our layers in its place, says instead of an answer.
fn why(status: StatusCode, body: &[u8]) -> String {
    let json: Value = serde_json::from_slice(body).unwrap_or_default();
    let text = String::from_utf8_lossy(body);
    let message = json["error"]["message"].as_str().unwrap_or(&text);
    format!("{status}: {message}")
}
