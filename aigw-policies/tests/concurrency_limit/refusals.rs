//! What a refused caller is told, and what is known of it above.

use std::convert::Infallible;

use aigw_core::{
    call::CallLayer,
    dialect::Dialect,
    key::Dimension,
    meter::{Ended, Ending, MeterLayer, ReportLayer},
    reject::{DialectJson, MakeRejection, Reason, Refusal, Refused},
    rt::Tokio,
};
use aigw_policies::{
    budget::Condition,
    concurrency_limit::{ConcurrencyLimitLayer, Config},
};
use http::{Request, Response};
use http_body_util::BodyExt;
use serde_json::Value;
use tower::{Layer, ServiceExt, service_fn};

use crate::below::{Answer, Below, SECOND, Stack, ask, low, read};

fn limit(config: Config) -> ConcurrencyLimitLayer<Tokio> {
    ConcurrencyLimitLayer::try_new(config, Tokio).unwrap()
}

async fn document(answer: Answer) -> Value {
    serde_json::from_slice(&read(answer).await).unwrap()
}

/// What a call is told while another one is inside.
async fn told(config: Config, request: Request<String>) -> String {
    let stack = Below::default().stack(&limit(config), 60);
    let _held = stack.clone().oneshot(ask("a")).await.unwrap();
    let answer = document(stack.oneshot(request).await.unwrap()).await;
    answer["error"]["message"].as_str().unwrap().to_owned()
}

#[tokio::test(start_paused = true)]
async fn a_refusal_is_a_429_about_requests_without_a_wait() {
    let stack = Below::default().stack(&limit(Config::new([], 1)), 1);
    let _held = stack.clone().oneshot(ask("a")).await.unwrap();
    let answer = stack.oneshot(ask("b")).await.unwrap();
    assert_eq!(answer.status(), 429);
    let refused = Refused::of(answer.extensions()).unwrap();
    assert_eq!(refused.reason, Reason::RateLimit);
    for header in ["retry-after", "retry-after-ms", "x-should-retry"] {
        assert!(!answer.headers().contains_key(header), "{header}");
    }
    let document = document(answer).await;
    assert_eq!(document["error"]["type"], "requests");
    assert_eq!(document["error"]["code"], "rate_limit_exceeded");
}

#[tokio::test(start_paused = true)]
async fn a_refusal_names_the_limit_and_why() {
    let background = || Condition::value("header:x-priority".parse().unwrap(), "low");
    let keyed = Config::new([Dimension::Consumer, Dimension::Model], 1);
    let queued = || Config::new([], 1).name("gold").queue(1, SECOND * 2);
    assert_eq!(
        told(Config::new([], 1), ask("b")).await,
        "too many calls: the concurrency limit of all calls admits 1 at once"
    );
    assert_eq!(
        told(keyed, ask("b")).await,
        "too many calls: the concurrency limit by consumer and model admits 1 at once"
    );
    assert_eq!(
        told(queued(), ask("b")).await,
        "too many calls: the concurrency limit `gold` admits 1 at once, and no place came free in 2s"
    );
    let low_one = Config::new([], 2).name("gold").low(background(), 1);
    assert_eq!(
        told(low_one, low("b")).await,
        "too many calls: the concurrency limit `gold` admits those of low priority only while \
         fewer than 1 are under way"
    );

    let stack = Below::default().stack(&limit(queued().low(background(), 0)), 60);
    let _held = stack.clone().oneshot(ask("a")).await.unwrap();
    let waiting = tokio::spawn(stack.clone().oneshot(low("b")));
    tokio::task::yield_now().await;
    let message = async |stack: Stack, request| {
        let answer = document(stack.oneshot(request).await.unwrap()).await;
        answer["error"]["message"].as_str().unwrap().to_owned()
    };
    assert_eq!(
        message(stack.clone(), low("c")).await,
        "too many calls: the concurrency limit `gold` admits those of low priority only while \
         fewer than 1 are under way, and 1 wait already"
    );
    let _high = tokio::spawn(stack.oneshot(ask("d")));
    let answer = document(waiting.await.unwrap().unwrap()).await;
    assert_eq!(
        answer["error"]["message"],
        "too many calls: the concurrency limit `gold` admits those of low priority only while \
         fewer than 1 are under way, and one of higher priority waits instead"
    );
}

#[tokio::test(start_paused = true)]
async fn a_refusal_speaks_the_words_of_its_caller() {
    let stack = Below::default().stack(&limit(Config::new([], 1)), 1);
    let _held = stack.clone().oneshot(ask("a")).await.unwrap();
    let cases = [
        ("/v1/chat/completions", "code", "rate_limit_exceeded"),
        (
            "/openai/deployments/m/chat/completions?api-version=2024-10-21",
            "code",
            "rate_limit_exceeded",
        ),
        ("/v1/messages", "type", "rate_limit_error"),
        (
            "/v1beta/models/m:generateContent",
            "status",
            "RESOURCE_EXHAUSTED",
        ),
    ];
    for (path, field, expected) in cases {
        let request = Request::post(path)
            .body(r#"{"model":"m","messages":[],"contents":[]}"#.to_owned())
            .unwrap();
        let answer = stack.clone().oneshot(request).await.unwrap();
        assert_eq!(answer.status(), 429, "{path}");
        let document = document(answer).await;
        assert_eq!(document["error"][field], expected, "{path}: {document}");
    }
}

#[tokio::test(start_paused = true)]
async fn refusals_can_be_made_otherwise() {
    let limit = limit(Config::new([], 1)).rejection(|dialect: Dialect, refusal: &Refusal| {
        let mut answer = DialectJson.make_rejection(dialect, refusal);
        *answer.status_mut() = http::StatusCode::SERVICE_UNAVAILABLE;
        answer
    });
    let stack = Below::default().stack(&limit, 1);
    let _held = stack.clone().oneshot(ask("a")).await.unwrap();
    let answer = stack.oneshot(ask("b")).await.unwrap();
    assert_eq!(answer.status(), 503);
    assert!(Refused::of(answer.extensions()).is_some());
}

#[tokio::test]
async fn a_report_above_sees_the_meter_of_what_passes_and_none_of_what_is_refused() {
    let (send, reports) = std::sync::mpsc::channel();
    let report = ReportLayer::new(move |ended: &Ended<'_>| {
        let refused = ended.call.record().latest::<Refused>();
        let status = ended.status.map(|status| status.as_u16());
        let total = ended.meter.usage().total();
        let reason = refused.map(|refused| refused.reason);
        let _ = send.send((status, total, ended.ending, reason));
    });
    let provider = service_fn(async |_| {
        let answer = r#"{"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":4}}"#;
        let head = Response::builder().header("content-type", "application/json");
        Ok::<_, Infallible>(head.body(answer.to_owned()).unwrap())
    });
    let limit = limit(Config::new([], 1));
    let stack =
        CallLayer::new().layer(report.layer(limit.layer(MeterLayer::new().layer(provider))));
    let answer = stack.clone().oneshot(ask("a")).await.unwrap();
    drop(stack.oneshot(ask("b")).await.unwrap());
    answer.into_body().collect().await.unwrap();
    assert_eq!(
        reports.recv().unwrap(),
        (Some(429), None, Ending::Complete, Some(Reason::RateLimit))
    );
    assert_eq!(
        reports.recv().unwrap(),
        (Some(200), Some(7), Ending::Complete, None)
    );
}
