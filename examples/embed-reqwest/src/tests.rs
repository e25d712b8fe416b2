use std::sync::mpsc;

use aigw_core::{meter::Ending, testing};
use aigw_examples::simulator;
use tokio::net::TcpListener;

use super::*;

#[tokio::test]
async fn a_reqwest_client_is_metered_and_answers_in_its_own_types() {
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
    let (send, told) = mpsc::channel();
    let provider = provider(client().unwrap(), move |ended: &Ended<'_>| {
        send.send((ended.meter.usage().output(), ended.ending))
            .unwrap();
    });
    let message = json!({"role": "user", "content": "Hello!"});
    let body = json!({"model": "gpt-4o", "stream": true, "messages": [message]}).to_string();
    let request = Request::post(url).header(CONTENT_TYPE, "application/json");
    let answer = provider
        .unwrap()
        .oneshot(request.body(body.into()).unwrap())
        .await
        .unwrap();
    assert_eq!(answer.status(), 200);
    let text = reqwest::Response::from(answer).text().await.unwrap();
    assert!(
        text.ends_with("data: [DONE]\n\n") && !text.contains("\"usage\":{"),
        "{text}"
    );
    assert_eq!(told.try_recv(), Ok((Some(5), Ending::Complete)));
}
