use aigw_core::{
    meter::Ending,
    outcome::{Fault, FaultKind},
    testing,
    usage::Source,
};
use aigw_examples::simulator;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use super::*;

fn hello() -> Value {
    let message = json!({"role": "user", "content": "Hello!"});
    json!({"model": "gpt-4o", "stream": true, "messages": [message]})
}

#[tokio::test]
async fn the_application_knows_what_a_stream_used_though_it_did_not_ask_for_it() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!(
        "http://{}/v1/chat/completions",
        listener.local_addr().unwrap()
    );
    let simulated = testing::Provider::new(Tokio);
    tokio::spawn(simulator::serve(
        listener,
        simulated,
        std::future::pending(),
    ));
    let answer = ask(provider(&account().unwrap()).unwrap(), &url, None, &hello())
        .await
        .unwrap();
    let mut said = Vec::new();
    let answer = write(answer, &mut said).await.unwrap();
    assert!(said.ends_with(b"data: [DONE]\n\n"));
    assert_eq!(answer.ending(), Ending::Complete);
    assert_eq!(answer.meter().source(), Source::Reported);
    assert_eq!(answer.meter().usage().output(), Some(5));
}

#[tokio::test]
async fn a_provider_that_is_not_there_is_an_answer_as_any_other() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!(
        "http://{}/v1/chat/completions",
        listener.local_addr().unwrap()
    );
    drop(listener);
    let answer = ask(provider(&account().unwrap()).unwrap(), &url, None, &hello())
        .await
        .unwrap();
    assert_eq!(answer.body().meter().source(), Source::Unmeasured);
    let unreachable = Fault::undispatched(FaultKind::Connect);
    assert_eq!(answer.extensions().get(), Some(&unreachable));
    let mut said = Vec::new();
    let why = write(answer, &mut said).await.unwrap_err().to_string();
    assert_eq!(why, "502 Bad Gateway: the provider could not be reached");
    assert!(said.is_empty());
}

/// A provider whose account admits a hundred tokens a minute, of which few are left after an answer.
async fn scarce() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!(
        "http://{}/v1/chat/completions",
        listener.local_addr().unwrap()
    );
    tokio::spawn(async move {
        // One connection and one answer: whoever asks again is left without.
        let (mut stream, _) = listener.accept().await.unwrap();
        assert!(stream.read(&mut [0; 4096]).await.unwrap() > 0);
        let answer = r#"{"model":"gpt-4o","usage":{"prompt_tokens":9,"completion_tokens":11}}"#;
        let head = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\
             x-ratelimit-limit-tokens: 100\r\nx-ratelimit-remaining-tokens: 5\r\n\r\n",
            answer.len()
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        stream.write_all(answer.as_bytes()).await.unwrap();
    });
    url
}

#[tokio::test]
async fn what_the_account_has_no_room_for_the_provider_is_not_asked() {
    let (url, account) = (scarce().await, account().unwrap());
    let provider = provider(&account).unwrap();
    let body = json!({"model": "gpt-4o", "max_tokens": 40, "messages": []});
    let answer = ask(provider.clone(), &url, None, &body).await.unwrap();
    write(answer, &mut Vec::new()).await.unwrap();
    let limit = *account.handle().budgets()[0].limit();
    assert_eq!(limit.to_string(), "100 per minute");
    let refused = ask(provider, &url, None, &body).await.unwrap();
    assert_eq!(refused.status(), StatusCode::TOO_MANY_REQUESTS);
    assert!(refused.headers().contains_key("retry-after"));
    let why = write(refused, &mut Vec::new()).await.unwrap_err();
    let why = why.to_string();
    assert!(why.contains("budget `account`"), "{why}");
}
