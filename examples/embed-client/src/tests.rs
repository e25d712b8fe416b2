use aigw_core::{
    meter::Ending,
    outcome::{Fault, FaultKind},
    testing,
    usage::Source,
};
use aigw_examples::simulator;
use tokio::net::TcpListener;

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
    let answer = ask(provider().unwrap(), &url, None, &hello())
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
    let answer = ask(provider().unwrap(), &url, None, &hello())
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
