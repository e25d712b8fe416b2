//! Lines of 100 MB.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::SeqCst},
};

use crate::{
    callers::{Caller, Refusal},
    house::{House, every_dialect, one_backend},
    upstream::{event, upstream},
    wire::{Wire, get, post},
};

const LARGE: usize = 100_000_000;

/// What is sent of a large line at once.
const PIECE: usize = 1 << 20;

const USAGE: &str =
    "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":4}}\n\n";
const DONE: &str = "data: [DONE]\n\n";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_line_of_100_mb_in_an_answer_passes_and_what_follows_it_is_measured() {
    let line = event("LARGE");
    let (before, after) = line.split_once("LARGE").unwrap();
    let (before, after) = (before.to_owned(), after.to_owned());
    let length = before.len() + LARGE + after.len() + USAGE.len() + DONE.len();
    let seen = before.len() + LARGE + after.len() + DONE.len();
    let url = upstream(move |mut wire| {
        let (before, after) = (before.clone(), after.clone());
        async move {
            wire.request().await.unwrap();
            let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream";
            wire.send(format!(
                "{head}\r\ncontent-length: {length}\r\n\r\n{before}"
            ))
            .await;
            send_large(&mut wire).await;
            wire.send(format!("{after}{USAGE}{DONE}")).await;
            wire.request().await.unwrap();
            wire.send("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}")
                .await;
        }
    })
    .await;
    let house = House::open(&one_backend(&url, "")).await;
    let mut wire = house.connect().await;
    let mut body = Caller::OpenAi.body();
    body["stream"] = true.into();
    wire.send(post(Caller::OpenAi.path(), &body.to_string()))
        .await;
    assert_eq!(wire.head().await.status(), 200);
    let (mut passed, mut large) = (0, 0);
    while let Some(piece) = wire.piece().await {
        passed += piece.len();
        large += piece.iter().filter(|&&byte| byte == b'#').count();
    }
    // All but the event that the gateway asked for.
    assert_eq!((passed, large), (seen, LARGE));
    let used = house.used_by("upstream", 1).await;
    assert_eq!((used.input, used.output, used.complete), (3, 4, 1));
    wire.send(get("/v1/models")).await;
    assert_eq!(wire.answer().await.status(), 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_line_of_100_mb_in_a_request_is_too_large_and_the_connection_stays() {
    let house = House::open(&every_dialect("")).await;
    let mut wire = house.connect().await;
    send_large_request(&mut wire).await;
    let refusal = Refusal {
        status: 413,
        code: "request_too_large",
        anthropic: "request_too_large",
        google: "INVALID_ARGUMENT",
        says: "larger than 16777216 bytes",
    };
    Caller::OpenAi.assert_refused(&wire.answer().await, &refusal);
    wire.send(Caller::OpenAi.request()).await;
    assert_eq!(wire.answer().await.status(), 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_line_of_100_mb_in_a_request_arrives_where_the_bound_admits_it() {
    let arrived = Arc::<AtomicUsize>::default();
    let counter = Arc::clone(&arrived);
    let url = upstream(move |mut wire| {
        let counter = Arc::clone(&counter);
        async move {
            while let Some((_, body)) = wire.request().await {
                counter.fetch_add(body.iter().filter(|&&byte| byte == b'#').count(), SeqCst);
                wire.send("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}")
                    .await;
            }
        }
    })
    .await;
    let house = House::open(&one_backend(&url, "max_body_bytes = 134217728")).await;
    let mut wire = house.connect().await;
    send_large_request(&mut wire).await;
    assert_eq!(wire.answer().await.status(), 200);
    assert_eq!(arrived.load(SeqCst), LARGE);
    wire.send(get("/v1/models")).await;
    assert_eq!(wire.answer().await.status(), 200);
}

async fn send_large_request(wire: &mut Wire) {
    let body = Caller::OpenAi.body().to_string().replace("Hello!", "LARGE");
    let (before, after) = body.split_once("LARGE").unwrap();
    let length = before.len() + LARGE + after.len();
    let head = post(Caller::OpenAi.path(), "");
    let head = head.replace("content-length: 0", &format!("content-length: {length}"));
    wire.send(head + before).await;
    send_large(wire).await;
    wire.send(after).await;
}

async fn send_large(wire: &mut Wire) {
    let piece = vec![b'#'; PIECE];
    let mut left = LARGE;
    while left > 0 {
        let length = left.min(PIECE);
        wire.send(&piece[..length]).await;
        left -= length;
    }
}
