use aigw_core::{rt::Tokio, testing};
use aigw_examples::simulator;
use http::StatusCode;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use super::*;

async fn listener() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}/v1", listener.local_addr().unwrap());
    (listener, base)
}

#[tokio::test]
async fn the_client_answers_in_its_own_types_and_its_calls_are_counted() {
    let (listener, base) = listener().await;
    let simulated = testing::Provider::new(Tokio);
    tokio::spawn(simulator::serve(
        listener,
        simulated,
        std::future::pending(),
    ));
    let account = account().unwrap();
    let chat = client(&base, &account);
    let answer = chat.chat().create(hello("Hello!").unwrap()).await.unwrap();
    let used = answer.usage.unwrap().total_tokens;
    let left = account.handle().left("account", &[]).await.unwrap();
    // A few have flowed back.
    let left = left.unwrap().remaining;
    assert!((30_000 - u64::from(used)..30_000).contains(&left), "{left}");
}

/// A provider that answers once, and that its account has five tokens left.
async fn scarce(listener: TcpListener) {
    let (mut stream, _) = listener.accept().await.unwrap();
    assert!(stream.read(&mut [0; 4096]).await.unwrap() > 0);
    let answer = r#"{"id":"c","object":"chat.completion","created":1,"model":"gpt-4o","choices":[],"usage":{"prompt_tokens":9,"completion_tokens":11,"total_tokens":20}}"#;
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\
         x-ratelimit-limit-tokens: 100\r\nx-ratelimit-remaining-tokens: 5\r\n\r\n",
        answer.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(answer.as_bytes()).await.unwrap();
}

#[tokio::test]
async fn what_the_account_has_no_room_for_is_an_error_of_the_clients_own() {
    let (listener, base) = listener().await;
    let provider = tokio::spawn(scarce(listener));
    let account = account().unwrap();
    let chat = client(&base, &account);
    let mut request = hello("Hello!").unwrap();
    request.max_completion_tokens = Some(40);
    chat.chat().create(request.clone()).await.unwrap();
    provider.await.unwrap();
    let Err(OpenAIError::ApiError(error)) = chat.chat().create(request).await else {
        panic!("nobody is there to answer");
    };
    assert_eq!(error.status_code, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(error.api_error.code.as_deref(), Some("rate_limit_exceeded"));
    assert!(error.api_error.message.contains("budget `account`"));
}
