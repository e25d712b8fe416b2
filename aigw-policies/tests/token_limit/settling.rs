use std::{
    cell::{Cell, RefCell},
    convert::Infallible,
    time::Duration,
};

use aigw_core::{
    call::{CallLayer, Record},
    dialect::Dialect,
    meter::{BoxMetered, MeterLayer},
    outcome::{Fault, FaultKind},
    reject::{self, Reason, Refusal, Refuser},
    rt::Tokio,
    testing::{Provider, contract::drops, provider::Config},
};
use aigw_policies::{
    budget::{Align, Key, Limit, MemoryStore, Period, Quota, Store},
    token_limit::{Budget, OnOpaque, Output, TokenLimitLayer},
};
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use tokio::time::Instant;
use tower::{ServiceBuilder, ServiceExt, service_fn};

use crate::house::{House, Told, chat, delta, json, per_minute, request, stream, usage};

fn house() -> House {
    House::new([Budget::new("rate", per_minute(1000))])
}

impl House {
    fn used(&self) -> u64 {
        1000 - self.left("rate", per_minute(1000))
    }
}

/// A limiter of one budget that expects 50 tokens of output.
fn layer(store: &MemoryStore<Tokio>, limit: Limit) -> TokenLimitLayer<MemoryStore<Tokio>> {
    TokenLimitLayer::try_new([Budget::new("rate", limit)], store.clone(), OnOpaque::Pass)
        .unwrap()
        .output(Output::Tokens(50))
        .estimator(Told::default())
}

#[tokio::test(start_paused = true)]
async fn an_answer_is_charged_with_what_it_reports() {
    let house = house().answering(|_| usage(123, 45));
    house.call(chat(100)).await;
    assert_eq!(house.used(), 168);
    assert_eq!(*house.told.settled.lock().unwrap(), [(100, 123)]);
}

#[tokio::test(start_paused = true)]
async fn a_stream_is_charged_with_what_it_reports_at_its_end() {
    let end = r#"data: {"choices":[],"usage":{"prompt_tokens":7,"completion_tokens":300}}"#;
    let house = house().answering(move |_| {
        stream(vec![
            delta(5),
            format!("{end}\n\n"),
            "data: [DONE]\n\n".into(),
        ])
    });
    house.call(chat(10)).await;
    assert_eq!(house.used(), 307);
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_hangs_up_is_charged_with_what_had_passed() {
    let house = house().answering(|_| stream(vec![delta(40), delta(40), delta(400)]));
    let mut body = house.send(chat(100)).await.into_body();
    assert_eq!(house.used(), 150);
    for _ in 0..2 {
        body.frame().await.unwrap().unwrap();
    }
    drop(body);
    assert_eq!(house.used(), 100 + 80 / 4);
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_outruns_what_was_expected_takes_more_as_it_runs() {
    let end = r#"data: {"choices":[],"usage":{"prompt_tokens":100,"completion_tokens":400}}"#;
    let house = house().answering(move |_| {
        let mut events = vec![delta(200); 8];
        events.push(format!("{end}\n\n"));
        stream(events)
    });
    let mut body = house.send(chat(100)).await.into_body();
    let mut seen = Vec::new();
    while let Some(frame) = body.frame().await {
        frame.unwrap();
        seen.push(house.used());
    }
    // 50 tokens each; 50 were expected, and more is taken in steps.
    assert_eq!(seen[..4], [150, 232, 287, 350]);
    assert!(seen.windows(2).all(|pair| pair[0] <= pair[1]), "{seen:?}");
    drop(body);
    assert_eq!(house.used(), 500);
}

#[tokio::test(start_paused = true)]
async fn who_skips_the_event_with_the_usage_gets_nothing_for_free() {
    let first = r#"data: {"type":"message_start","message":{"usage":{"input_tokens":90,"output_tokens":1}}}"#;
    let text = r#"data: {"type":"content_block_delta","delta":{"type":"text_delta","text":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"}}"#;
    let house = house().answering(move |_| {
        stream(vec![
            format!("{first}\n\n"),
            format!("{text}\n\n"),
            format!("{text}\n\n"),
        ])
    });
    let mut request = chat(100);
    *request.uri_mut() = "/v1/messages".parse().unwrap();
    let mut body = house.send(request).await.into_body();
    for _ in 0..3 {
        body.frame().await.unwrap().unwrap();
    }
    drop(body);
    assert_eq!(house.used(), 90 + 80 / 4);
}

#[tokio::test(start_paused = true)]
async fn an_answer_without_a_usage_is_never_free() {
    for (answer, used) in [
        (stream as fn(_) -> _, 100 + 20),
        (
            |_| json(200, r#"{"choices":[{"message":{"content":"12345678"}}]}"#),
            100 + 2,
        ),
        (|_| json(200, "not JSON at all"), 150),
        (|_| json(200, ""), 150),
    ] {
        let house = house().answering(move |_| answer(vec![delta(40), delta(40)]));
        house.call(chat(100)).await;
        assert_eq!(house.used(), used);
    }
}

#[tokio::test(start_paused = true)]
async fn a_document_that_is_cut_off_is_charged_with_what_was_expected_of_it() {
    let house = house().answering(|_| {
        let mut answer = stream(vec![
            r#"{"choices":[{"message":{"content":"12345678"}}],"#.into(),
            r#""usage":{"prompt_tokens":100,"completion_tokens":300}}"#.into(),
        ]);
        let json = "application/json".parse().unwrap();
        answer.headers_mut().insert("content-type", json);
        answer
    });
    let mut body = house.send(chat(100)).await.into_body();
    body.frame().await.unwrap().unwrap();
    drop(body);
    assert_eq!(house.used(), 150);
}

#[tokio::test(start_paused = true)]
async fn a_prompt_that_nobody_estimated_is_not_free_where_its_answer_says_nothing_of_it() {
    let prompt = format!(r#"{{"role":"user","content":"{}"}}"#, "x".repeat(1000));
    let body = format!(r#"{{"model":"m","user":"0","messages":[{prompt}]}}"#);
    let least = prompt.len().div_ceil(4) as u64;
    let house = house().answering(|_| stream(vec![delta(40)]));
    house.call(request(&body)).await;
    assert_eq!(house.used(), least + 10);
    drop(house.send(request(&body)).await);
    assert_eq!(house.used(), 2 * least + 10);
    // What is reported is what counts.
    let house = self::house().answering(|_| usage(7, 3));
    house.call(request(&body)).await;
    assert_eq!(house.used(), 10);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_was_cut_off_does_not_teach_how_long_answers_are() {
    let cut = r#"{"choices":[{"finish_reason":"length"}],"usage":{"prompt_tokens":1,"completion_tokens":1}}"#;
    let limit = per_minute(100_000);
    let house = House::new([Budget::new("rate", limit)])
        .limit(|limit| limit.output(Output::Learned))
        .answering(move |_| json(200, cut));
    for _ in 0..50 {
        house.call(chat(0)).await;
    }
    let left = house.left("rate", limit);
    let _held = house.send(chat(0)).await;
    assert!(left - house.left("rate", limit) >= 1024);
}

#[tokio::test(start_paused = true)]
async fn what_was_not_estimated_does_not_teach_the_estimator() {
    let house = house().answering(|_| usage(300, 0));
    let upload = Request::post("/v1/files").body(Full::<Bytes>::from("?"));
    house.call(upload.unwrap()).await;
    assert!(house.told.settled.lock().unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_error_of_the_provider_is_free() {
    for status in [400, 401, 429, 500, 503] {
        let house = house().answering(move |_| json(status, r#"{"error":{"message":"no"}}"#));
        assert_eq!(house.call(chat(100)).await.status(), status);
        assert_eq!(house.used(), 0, "{status}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_outage_leaves_the_budget_full_and_a_timeout_does_not() {
    for (fault, used) in [
        (Fault::undispatched(FaultKind::Connect), 0),
        (Fault::dispatched(FaultKind::HeadersTimeout), 100),
    ] {
        let store = MemoryStore::with_clock(Tokio, 100);
        let limit = per_minute(1000);
        let layer = layer(&store, limit);
        let stack = ServiceBuilder::new()
            .layer(CallLayer::new())
            .layer(layer)
            .layer(MeterLayer::new())
            .service(service_fn(move |_: Request<_>| async move {
                let answer: Response<reject::Body<Full<Bytes>>> =
                    Refuser::default().fault(Dialect::OpenAi, fault);
                Ok::<_, Infallible>(answer)
            }));
        stack
            .oneshot(chat(100))
            .await
            .unwrap()
            .collect()
            .await
            .unwrap();
        let left = store
            .left(&Key::new("rate", [None::<&str>; 0]), &limit)
            .unwrap();
        assert_eq!(1000 - left.remaining, used, "{fault}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_refusal_further_in_is_free() {
    let store = MemoryStore::with_clock(Tokio, 100);
    let limit = per_minute(1000);
    let layer = layer(&store, limit);
    let stack = ServiceBuilder::new()
        .layer(CallLayer::new())
        .layer(layer)
        .service(service_fn(|_: Request<_>| async {
            let refusal = Refusal::new(Reason::UnknownModel, "no such model");
            let answer: Response<reject::Body<BoxMetered>> =
                Refuser::default().refuse(Dialect::OpenAi, &Record::default(), refusal);
            Ok::<_, Infallible>(answer)
        }));
    let answer = stack.oneshot(chat(100)).await.unwrap();
    assert_eq!(answer.status(), 404);
    answer.collect().await.unwrap();
    let left = store
        .left(&Key::new("rate", [None::<&str>; 0]), &limit)
        .unwrap();
    assert_eq!(left.remaining, 1000);
}

#[tokio::test(start_paused = true)]
async fn the_first_event_passes_when_it_comes() {
    let pace = Config::default()
        .time_to_first_token(Duration::from_millis(20))
        .time_per_token(Duration::from_millis(5));
    let store = MemoryStore::with_clock(Tokio, 10);
    let stack = ServiceBuilder::new()
        .layer(CallLayer::new())
        .layer(layer(&store, per_minute(1000)))
        .layer(MeterLayer::new())
        .service(Provider::with_config(pace, Tokio));
    let began = Instant::now();
    let request = request(
        r#"{"model":"m","stream":true,"messages":[{"role":"user","content":"Tell me more"}]}"#,
    );
    let mut body = stack.oneshot(request).await.unwrap().into_body();
    let mut came = Vec::new();
    while let Some(frame) = body.frame().await {
        frame.unwrap();
        came.push(began.elapsed().as_millis());
    }
    assert!(came[0] <= 20, "{came:?}");
    assert!(came.last().unwrap() - came[0] >= 10, "{came:?}");
}

#[tokio::test(start_paused = true)]
async fn dropped_after_any_number_of_polls_it_is_settled_once() {
    let pace = Config::default().time_per_token(Duration::from_millis(1));
    let provider = Provider::with_config(pace, Tokio);
    // A quota, for what a rate lets flow back hides what was charged.
    let quota = Quota::try_new(1_000_000, Period::Year, Align::Rolling);
    let limit = quota.unwrap().into();
    let store = RefCell::new(MemoryStore::with_clock(Tokio, 10));
    let key = Key::new("rate", [None::<&str>; 0]);
    let (calls, last) = (Cell::new(0), Cell::new(0));
    let call = || {
        // A store of its own for each call.
        *store.borrow_mut() = MemoryStore::with_clock(Tokio, 10);
        calls.set(calls.get() + 1);
        let layer = layer(&store.borrow(), limit).output(Output::Tokens(1000));
        let stack = ServiceBuilder::new()
            .layer(CallLayer::new())
            .layer(layer)
            .layer(MeterLayer::new())
            .service(provider.clone());
        let body = r#"{"model":"m","user":"100","stream":true,"messages":[{"role":"user","content":"Tell me more"}]}"#;
        stack.oneshot(request(body))
    };
    let check = |left| {
        let used = store
            .borrow()
            .left(&key, &limit)
            .map_or(0, |left| 1_000_000 - left.remaining);
        match left {
            // Neither nothing nor all that was held, once it had been sent.
            drops::Left::After(polls) if polls > 0 => {
                assert!((1..1000).contains(&used), "{used} after {polls}");
            }
            drops::Left::After(_) => assert_eq!(used, 0),
            _ => last.set(used),
        }
    };
    drops::at_every_poll(call, check).await;
    assert!(
        calls.get() > 5 && last.get() > 0 && last.get() < 100,
        "{} {}",
        calls.get(),
        last.get()
    );
}
