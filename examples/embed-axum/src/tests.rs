use std::sync::mpsc;

use aigw_core::{meter::Ending, rt::Tokio, testing::Provider};
use axum::{
    body::{Body, Bytes},
    http::{Request, StatusCode, header::CONTENT_TYPE},
};
use http_body_util::BodyExt;
use tower::ServiceExt;

use super::*;

type Told = (Option<u64>, Ending);

fn told(ai: Router) -> (Router, mpsc::Receiver<Told>) {
    let (send, told) = mpsc::channel();
    let report = move |ended: &Ended<'_>| {
        send.send((ended.meter.usage().total(), ended.ending))
            .unwrap();
    };
    (metered(ai, report), told)
}

async fn ask(app: Router, body: Value) -> (StatusCode, Bytes) {
    let request = Request::post("/v1/chat/completions")
        .header(CONTENT_TYPE, "application/json")
        .body(Body::from(body.to_string()));
    let answer = app.oneshot(request.unwrap()).await.unwrap();
    let status = answer.status();
    (
        status,
        answer.into_body().collect().await.unwrap().to_bytes(),
    )
}

#[tokio::test]
async fn a_handler_is_metered() {
    let ai = Router::new().route("/v1/chat/completions", routing::post(chat));
    let (app, told) = told(ai);
    let (status, answer) = ask(app, json!({"model": "ours"})).await;
    let answer: Value = serde_json::from_slice(&answer).unwrap();
    assert_eq!((status, &answer["model"]), (StatusCode::OK, &json!("ours")));
    assert_eq!(told.try_recv(), Ok((Some(11), Ending::Complete)));
}

#[tokio::test]
async fn a_provider_behind_the_route_states_the_usage_of_a_stream_that_nobody_asked_it_for() {
    let provider = Provider::new(Tokio);
    let (app, told) = told(Router::new().fallback_service(provider.clone()));
    let hello = json!({"role": "user", "content": "Hello!"});
    let (status, answer) = ask(
        app,
        json!({"model": "gpt-4o", "stream": true, "messages": [hello]}),
    )
    .await;
    let answer = std::str::from_utf8(&answer).unwrap();
    assert_eq!(status, StatusCode::OK);
    assert!(
        answer.ends_with("data: [DONE]\n\n") && !answer.contains("\"usage\":{"),
        "{answer}"
    );
    let (total, ending) = told.try_recv().unwrap();
    assert!(total > Some(0));
    assert_eq!(ending, Ending::Complete);
    let [call] = &provider.calls()[..] else {
        panic!("one call")
    };
    assert_eq!(
        call.json().unwrap()["stream_options"]["include_usage"],
        true
    );
}
