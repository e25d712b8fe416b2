use std::sync::mpsc;

use aigw_core::{meter::Ending, testing};
use aigw_examples::simulator;
use tokio::net::TcpListener;

use super::*;

/// A provider that obeys scripts, and where it is.
async fn simulated() -> (testing::Provider<Tokio>, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!(
        "http://{}/v1/chat/completions",
        listener.local_addr().unwrap()
    );
    let simulated = testing::Provider::new(Tokio);
    tokio::spawn(simulator::serve(
        listener,
        simulated.clone(),
        std::future::pending(),
    ));
    (simulated, url)
}

#[tokio::test]
async fn a_reqwest_client_is_metered_and_answers_in_its_own_types() {
    let (_, url) = simulated().await;
    let (send, told) = mpsc::channel();
    let report = move |ended: &Ended<'_>| {
        send.send((ended.meter.usage().output(), ended.ending))
            .unwrap();
    };
    let provider = provider(client().unwrap(), account().unwrap(), report);
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

/// Asks for an answer of forty tokens at most, from a provider that answers with this status, and
/// that its account admits a hundred tokens a minute and has so many of them left.
async fn ask(
    provider: &(impl Service<Request<Body>, Response = Response<Body>, Error = Infallible> + Clone),
    url: &str,
    status: u16,
    left: &str,
) -> reqwest::Response {
    let headers = json!({"x-ratelimit-limit-tokens": "100", "x-ratelimit-remaining-tokens": left});
    let script = json!({"response_status_code": status, "headers": headers});
    let message = json!({"role": "user", "content": "Hello!"});
    let body = json!({"model": "gpt-4o", "max_tokens": 40, "messages": [message]});
    let request = Request::post(url)
        .header(CONTENT_TYPE, "application/json")
        .header(
            "x-simulation",
            json!({"simulation": {"default": script}}).to_string(),
        );
    let request = request.body(body.to_string().into()).unwrap();
    provider.clone().oneshot(request).await.unwrap().into()
}

#[tokio::test]
async fn what_the_account_has_no_room_for_the_provider_is_not_asked() {
    let (simulated, url) = simulated().await;
    let account = account().unwrap();
    let (send, told) = mpsc::channel();
    let report = move |ended: &Ended<'_>| send.send(ended.meter.usage().total()).unwrap();
    let provider = provider(client().unwrap(), account.clone(), report).unwrap();

    let served = ask(&provider, &url, 200, "0").await;
    assert_eq!(served.status(), StatusCode::OK);
    served.text().await.unwrap();
    assert!(told.recv().unwrap() > Some(0));
    let limit = *account.handle().budgets()[0].limit();
    assert_eq!(limit.to_string(), "100 per minute");

    let refused = ask(&provider, &url, 200, "0").await;
    assert_eq!(refused.status(), StatusCode::TOO_MANY_REQUESTS);
    let wait = refused.headers()["retry-after"].to_str().unwrap();
    assert!((1..=60).contains(&wait.parse().unwrap()), "{wait}");
    let why = why(refused.status(), &refused.text().await.unwrap());
    assert!(why.contains("budget `account`"), "{why}");
    // The application knows of it, and that it used nothing.
    assert_eq!(told.recv().unwrap(), None);
    assert_eq!(simulated.calls().len(), 1);
}

#[tokio::test]
async fn a_provider_that_has_nothing_left_refuses_once() {
    let (simulated, url) = simulated().await;
    let account = account().unwrap();
    let provider = provider(client().unwrap(), account, |_: &Ended<'_>| {}).unwrap();
    for _ in 0..3 {
        let refused = ask(&provider, &url, 429, "0").await;
        assert_eq!(refused.status(), StatusCode::TOO_MANY_REQUESTS);
        refused.text().await.unwrap();
    }
    assert_eq!(simulated.calls().len(), 1);
}
