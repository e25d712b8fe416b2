//! An application that keeps its reqwest client, settings and all, puts our layers around it, and
//! asks through them for no more than its account at the provider has left.
//!
//! ```sh
//! cargo run -p embed-reqwest -- https://api.openai.com/v1/chat/completions "Hello!"
//! ```
//!
//! Sends the key in `OPENAI_API_KEY`, if there is one, and prints the JSON of the answer, and on
//! stderr `gpt-4o used {"input": 9, …, "output": 5, …}` and `29986 tokens left`. What the provider
//! or the limit says in place of an answer goes to stderr, and the program exits with 1.
//!
//! With `cargo run -p aigw-examples --bin gateway` running elsewhere,
//! `http://127.0.0.1:8080/v1/chat/completions` asks the example gateway, which wants no key.

#[cfg(test)]
mod tests;

use std::{convert::Infallible, env, error::Error, process::ExitCode, time::Duration};

use aigw_backends::{
    leaf::{self, Leaf},
    timeout::{ConfigError, TimeoutLayer, Timeouts},
};
use aigw_core::{
    BoxError,
    call::{CallBody, CallLayer},
    meter::{Ended, MeterLayer, Report, ReportLayer},
    outcome::{Fault, FaultKind},
    rt::Tokio,
};
use aigw_policies::{
    budget::{MemoryStore, Rate},
    token_limit::{Budget, OnOpaque, TokenLimitLayer},
    tokens::Fast,
};
use http::{
    HeaderValue, Request, Response, StatusCode,
    header::{AUTHORIZATION, CONTENT_TYPE, InvalidHeaderValue},
};
use reqwest::Body;
use serde_json::{Value, json};
use tower::{Service, ServiceBuilder, ServiceExt, service_fn};

#[tokio::main]
async fn main() -> ExitCode {
    let args: Vec<String> = env::args().skip(1).collect();
    let said = match &args[..] {
        [url, text] if url.starts_with("http") => say(url, text).await,
        _ => {
            eprintln!("usage: embed-reqwest URL TEXT");
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
    let account = account()?;
    let provider = provider(client()?, account.clone(), |ended: &Ended<'_>| {
        let model = ended.call.model().unwrap_or("no model");
        eprintln!("{model} used {:?}", ended.meter.usage());
    })?;
    let message = json!({"role": "user", "content": text});
    let body = json!({"model": "gpt-4o", "messages": [message]});
    let mut request = Request::post(url)
        .header(CONTENT_TYPE, "application/json")
        .body(body.to_string().into())?;
    let bearer = bearer()?.map(|bearer| (AUTHORIZATION, bearer));
    request.headers_mut().extend(bearer);
    // Back in reqwest's own types, for the code that the application has already.
    let answer = reqwest::Response::from(provider.oneshot(request).await?);
    let status = answer.status();
    let text = answer.text().await?;
    if !status.is_success() {
        return Err(why(status, &text).into());
    }
    println!("{text}");
    let left = account.handle().left("account", &[]).await?;
    eprintln!("{} tokens left", left.map_or(0, |left| left.remaining));
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

/// The client that the application has already, here with ring under its TLS.
fn client() -> reqwest::Result<reqwest::Client> {
    // Fails only where another has been installed before, which will do as well.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().build()
}

/// What the account at the provider admits, as far as it is known: what its answers say of it
/// corrects a first guess.
fn account() -> Result<TokenLimitLayer<MemoryStore>, BoxError> {
    let guess = Rate::try_new(30_000, Duration::from_secs(60))?;
    let budget = Budget::new("account", guess).follows_provider();
    let limit = TokenLimitLayer::try_new([budget], MemoryStore::new(), OnOpaque::Pass)?;
    Ok(limit.estimator(Fast::new()))
}

/// A client in our layers, made once: clones share its connections, and what the account has left.
fn provider(
    client: reqwest::Client,
    account: TokenLimitLayer<MemoryStore>,
    report: impl Report + Clone + Send + Sync + 'static,
) -> Result<
    impl Service<Request<Body>, Response = Response<Body>, Error = Infallible> + Clone,
    ConfigError,
> {
    let patience = Duration::from_secs(30);
    let timeouts = Timeouts::default().first_token(patience).idle(patience);
    let leaf = Leaf::new(service_fn(move |request: Request<CallBody<Body>>| {
        let client = client.clone();
        async move {
            let request = request.map(Body::wrap).try_into()?;
            client.execute(request).await.map(Response::<Body>::from)
        }
    }));
    Ok(ServiceBuilder::new()
        .map_response(|answer: Response<_>| answer.map(Body::wrap))
        .layer(CallLayer::new())
        .layer(ReportLayer::new(report))
        .layer(account)
        .layer(TimeoutLayer::try_new(timeouts, Tokio)?)
        .layer(MeterLayer::new())
        .service(leaf.diagnose_with(diagnose)))
}

/// Reads in reqwest's errors also that there was no connection: an unknown name, no TLS.
fn diagnose(error: &(dyn Error + 'static)) -> Fault {
    match error.downcast_ref::<reqwest::Error>() {
        Some(error) if error.is_connect() => Fault::undispatched(FaultKind::Connect),
        _ => leaf::diagnose(error),
    }
}

/// What a provider, or one of our layers in its place, says instead of an answer.
fn why(status: StatusCode, body: &str) -> String {
    let json: Value = serde_json::from_str(body).unwrap_or_default();
    let message = json["error"]["message"].as_str().unwrap_or(body);
    format!("{status}: {message}")
}
