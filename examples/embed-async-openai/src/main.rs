//! An application that keeps its async-openai client, and asks through it for no more than its
//! account at the provider has left.
//!
//! ```sh
//! cargo run -p embed-async-openai -- https://api.openai.com/v1 "Hello!"
//! ```
//!
//! Sends the key in `OPENAI_API_KEY`, as async-openai does, and prints what the model says, then on
//! stderr `29986 tokens left`. What the provider or the limit says in place of an answer goes to
//! stderr, and the program exits with 1.
//!
//! With `cargo run -p aigw-examples --bin gateway` running elsewhere, `http://127.0.0.1:8080/v1` asks
//! the example gateway, which wants no key.

#[cfg(test)]
mod tests;

use std::{env, process::ExitCode, time::Duration};

use aigw_backends::leaf::Leaf;
use aigw_core::{
    BoxError,
    call::{CallBody, CallLayer},
    meter::MeterLayer,
};
use aigw_policies::{
    budget::{MemoryStore, Rate},
    token_limit::{Budget, OnOpaque, TokenLimitLayer},
    tokens::Fast,
};
use async_openai::{
    Client,
    config::OpenAIConfig,
    error::OpenAIError,
    middleware::HttpRequestFactory,
    types::chat::{
        ChatCompletionRequestMessage, ChatCompletionRequestUserMessage,
        CreateChatCompletionRequest, CreateChatCompletionRequestArgs,
    },
};
use http::{Request, Response};
use reqwest::Body;
use tower::{Service, ServiceBuilder, ServiceExt, service_fn};

#[tokio::main]
async fn main() -> ExitCode {
    let args: Vec<String> = env::args().skip(1).collect();
    let said = match &args[..] {
        [base, text] if base.starts_with("http") => say(base, text).await,
        _ => {
            eprintln!("usage: embed-async-openai BASE-URL TEXT");
            return ExitCode::from(2);
        }
    };
    if let Err(error) = said {
        eprintln!("{error}");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

async fn say(base: &str, text: &str) -> Result<(), BoxError> {
    let account = account()?;
    let client = client(base, &account);
    let answer = client.chat().create(hello(text)?).await?;
    let said = answer.choices.into_iter().next();
    let said = said.and_then(|choice| choice.message.content);
    println!("{}", said.unwrap_or_default());
    let left = account.handle().left("account", &[]).await?;
    eprintln!("{} tokens left", left.map_or(0, |left| left.remaining));
    Ok(())
}

fn hello(text: &str) -> Result<CreateChatCompletionRequest, OpenAIError> {
    let message = ChatCompletionRequestUserMessage::from(text);
    CreateChatCompletionRequestArgs::default()
        .model("gpt-4o")
        .max_completion_tokens(100_u32)
        .messages([ChatCompletionRequestMessage::User(message)])
        .build()
}

/// What the account at the provider admits, as far as it is known: what its answers say of it
/// corrects a first guess.
fn account() -> Result<TokenLimitLayer<MemoryStore>, BoxError> {
    let guess = Rate::try_new(30_000, Duration::from_secs(60))?;
    let budget = Budget::new("account", guess).follows_provider();
    let limit = TokenLimitLayer::try_new([budget], MemoryStore::new(), OnOpaque::Pass)?;
    Ok(limit.estimator(Fast::new()))
}

/// The client that the application has already, with our layers within.
fn client(base: &str, account: &TokenLimitLayer<MemoryStore>) -> Client<OpenAIConfig> {
    // Fails only where another has been installed before, which will do as well.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let provider = provider(reqwest::Client::new(), account);
    let service = service_fn(move |request: HttpRequestFactory| {
        let provider = provider.clone();
        async move {
            let request = request.build().await?.try_into()?;
            let Ok(answer) = provider.oneshot(request).await;
            Ok::<_, OpenAIError>(answer.into())
        }
    });
    let config = OpenAIConfig::new().with_api_base(base);
    Client::with_config(config).with_http_service(service)
}

/// A client of reqwest in our layers.
fn provider(
    client: reqwest::Client,
    account: &TokenLimitLayer<MemoryStore>,
) -> impl Service<
    Request<Body>,
    Response = Response<Body>,
    Error = std::convert::Infallible,
    Future: Send,
> + Clone
+ Send
+ Sync
+ 'static {
    let leaf = Leaf::new(service_fn(move |request: Request<CallBody<Body>>| {
        let client = client.clone();
        async move {
            let request = request.map(Body::wrap).try_into()?;
            client.execute(request).await.map(Response::<Body>::from)
        }
    }));
    ServiceBuilder::new()
        .map_response(|answer: Response<_>| answer.map(Body::wrap))
        .layer(CallLayer::new())
        .layer(account.clone())
        .layer(MeterLayer::new())
        .service(leaf)
}
