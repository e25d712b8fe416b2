//! How many tokens a call has used stands in a header, where it can be known in time.

use std::{convert::Infallible, time::Duration};

use aigw_core::{
    around,
    call::CallLayer,
    meter::{Ending, MeterLayer, Metered},
    rt::Tokio,
    testing::{Provider, contract::drops, provider},
};
use aigw_policies::token_limit::consumed::ConsumedLayer;
use bytes::Bytes;
use http::{HeaderName, Response, StatusCode};
use http_body_util::BodyExt;
use tower::{Layer, ServiceBuilder, ServiceExt, service_fn};

use crate::house::{Answer, House, chat, delta, json, per_minute, request, stream, usage};

const NAME: HeaderName = HeaderName::from_static("x-tokens-consumed");

/// What the header says, and the whole body.
async fn told(answer: impl Fn() -> Answer + Clone) -> (Option<String>, Bytes) {
    let service = around(ConsumedLayer::new(NAME)).layer(service_fn(async |_| {
        let mut answer = answer();
        answer.headers_mut().insert(NAME, 7.into());
        Ok::<_, Infallible>(answer)
    }));
    let answer = service.oneshot(chat(0)).await.unwrap();
    let header = answer.headers().get(NAME);
    let header = header.map(|value| value.to_str().unwrap().to_owned());
    (
        header,
        answer.into_body().collect().await.unwrap().to_bytes(),
    )
}

#[tokio::test]
async fn it_is_what_the_provider_has_stated_or_else_what_was_counted() {
    let (header, body) = told(|| usage(300, 200)).await;
    assert_eq!(header.as_deref(), Some("500"));
    assert!(body.ends_with(b"}}"));
    let counted = r#"{"choices":[{"index":0,"message":{"content":"01234567"}}]}"#;
    let (header, body) = told(|| json(200, counted)).await;
    assert_eq!(header.as_deref(), Some("2"));
    assert_eq!(body, counted);
}

#[tokio::test]
async fn what_is_not_known_in_time_is_not_told_and_nothing_is_lost() {
    let events = || stream(vec![delta(8), delta(8), "data: [DONE]\n\n".to_owned()]);
    // In place of what is not known there, what the provider has written stands.
    let provider = Some("7");
    let (header, body) = told(events).await;
    assert_eq!(header.as_deref(), provider);
    assert_eq!(body.len(), 2 * delta(8).len() + 14);
    let (header, body) = told(|| json(500, "{}")).await;
    assert_eq!((header.as_deref(), &body[..]), (provider, &b"{}"[..]));
    let long = || " ".repeat(ConsumedLayer::MOST + 1) + r#"{"usage":{"prompt_tokens":1}}"#;
    let (header, body) = told(|| json(200, &long())).await;
    assert_eq!((header.as_deref(), body.len()), (provider, long().len()));
    let unread = || {
        let mut answer = usage(1, 1);
        let headers = answer.headers_mut();
        headers.insert("content-encoding", "gzip".parse().unwrap());
        answer
    };
    assert_eq!(told(unread).await.0.as_deref(), provider);
}

#[tokio::test]
async fn a_document_that_comes_in_pieces_without_a_length_is_held_as_far_as_there_is_room() {
    let piece = " ".repeat(64 << 10);
    for (pieces, expected) in [(15, Some("3")), (17, Some("7"))] {
        let answer = || {
            let mut all = vec![piece.clone(); pieces];
            all.push(r#"{"usage":{"prompt_tokens":1,"completion_tokens":2}}"#.to_owned());
            let (mut head, body) = stream(all).into_parts();
            head.headers
                .insert("content-type", "application/json".parse().unwrap());
            Response::from_parts(head, body)
        };
        let (header, body) = told(answer).await;
        assert_eq!(header.as_deref(), expected, "{pieces}");
        assert!(body.len() > pieces << 16 && body.ends_with(b"}}"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_is_settled_once_wherever_it_is_dropped_and_held_up() {
    let slow = provider::Config::default().time_per_token(Duration::from_millis(1));
    let provider = Provider::with_config(slow, Tokio);
    let house = House::new([aigw_policies::token_limit::Budget::new(
        "rate",
        per_minute(1_000_000),
    )]);
    let stack = ServiceBuilder::new()
        .layer(CallLayer::new())
        .layer(ConsumedLayer::new(NAME))
        .layer(house.limit.clone())
        .layer(MeterLayer::new().with_clock(Tokio))
        .service(provider.clone());
    let asked = r#"{"model":"m","user":"100","messages":[{"role":"user","content":"Hello!"}]}"#;
    let mut whole = false;
    drops::at_every_poll(
        || stack.clone().oneshot(request(asked)),
        |left| {
            assert_eq!(provider.in_flight(), 0);
            whole |= left == drops::Left::AtItsEnd;
        },
    )
    .await;
    assert!(whole);
    let answer = stack.oneshot(request(asked)).await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    assert!(answer.headers().contains_key(NAME));
    // The caller has nothing of it yet.
    assert_eq!(answer.body().ending(), Ending::Dropped);
    let body = answer.into_body();
    let ended = {
        let mut body = std::pin::pin!(body);
        while body.frame().await.is_some() {}
        body.ending()
    };
    assert_eq!(ended, Ending::Complete);
}
