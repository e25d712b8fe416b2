//! SIGTERM: streams go on, new connections are refused, and the process ends in order.

use std::sync::Arc;

use serde_json::json;
use tokio::{net::TcpStream, sync::Notify};

use crate::{
    callers::Caller,
    house::{every_dialect, one_backend},
    process::Program,
    upstream::{STREAM, chunk, event, upstream},
    wire::{Wire, get, post_with},
};

/// A started gateway, its callers' address and its operators'.
async fn start(name: &str, toml: &str) -> (Program, String, String) {
    let mut gateway = Program::gateway(name, toml);
    let address = gateway.address("listening on http://").await;
    let admin = gateway.address("admin on http://").await;
    (gateway, address, admin)
}

/// Begins a stream that obeys a script, and reads its first event.
async fn stream(address: &str, script: serde_json::Value) -> Wire {
    let mut body = Caller::OpenAi.body();
    body["stream"] = true.into();
    let script = json!({"default": script});
    let headers = format!("content-type: application/json\r\nx-simulation: {script}");
    let request = post_with(Caller::OpenAi.path(), &headers, &body.to_string());
    let mut wire = Program::connect(address).await;
    wire.send(request).await;
    assert_eq!(wire.head().await.status(), 200);
    wire.piece().await.unwrap();
    wire
}

/// Waits until nobody listens any more.
async fn refuses_connections(address: &str) {
    while TcpStream::connect(address).await.is_ok() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn on_sigterm_a_stream_is_finished_and_the_exit_is_clean() {
    let drained = Arc::new(Notify::new());
    let go_on = drained.clone();
    let url = upstream(move |mut wire| {
        let go_on = go_on.clone();
        async move {
            wire.request().await.unwrap();
            wire.send(format!("{STREAM}{}", chunk(&event("Hello"))))
                .await;
            go_on.notified().await;
            wire.send(format!("{}0\r\n\r\n", chunk("data: [DONE]\n\n")))
                .await;
        }
    })
    .await;
    let toml = one_backend(&url, "");
    let (gateway, address, admin) = start("drain-finishes.toml", &toml).await;
    let mut wire = stream(&address, json!({})).await;
    let mut operator = Program::connect(&admin).await;
    operator.send(get("/readyz")).await;
    assert_eq!(operator.answer().await.status(), 200);

    gateway.terminate().await;
    refuses_connections(&address).await;
    operator.send(get("/readyz")).await;
    assert_eq!(operator.answer().await.status(), 503);
    drained.notify_one();

    let mut rest = Vec::new();
    while let Some(piece) = wire.piece().await {
        rest.extend(piece);
    }
    let rest = String::from_utf8(rest).unwrap();
    assert!(rest.ends_with("data: [DONE]\n\n"), "{rest}");
    assert_eq!(gateway.exit().await.code(), Some(0));
}

#[tokio::test]
async fn the_drain_deadline_cuts_what_does_not_finish() {
    let (gateway, address, _) =
        start("drain-cuts.toml", &every_dialect(r#"drain = "200ms""#)).await;
    let mut wire = stream(&address, json!({"hang_after_chunks": 2})).await;
    gateway.terminate().await;
    // The end is no end of a chunked body: nobody takes the answer for whole.
    while let Some(piece) = wire.try_piece().await {
        assert!(!piece.is_empty(), "the answer claims to be complete");
    }
    assert_eq!(gateway.exit().await.code(), Some(0));
}

#[tokio::test]
async fn idle_connections_do_not_hold_up_the_exit() {
    let (gateway, address, _) = start("drain-idle.toml", &every_dialect(r#"drain = "1h""#)).await;
    let mut fresh = Program::connect(&address).await;
    let mut used = Program::connect(&address).await;
    used.send(Caller::OpenAi.request()).await;
    assert_eq!(used.answer().await.status(), 200);
    gateway.terminate().await;
    fresh.closed().await;
    used.closed().await;
    assert_eq!(gateway.exit().await.code(), Some(0));
}

#[tokio::test]
async fn a_second_sigterm_ends_the_drain_at_once() {
    let (gateway, address, _) =
        start("drain-hurried.toml", &every_dialect(r#"drain = "1h""#)).await;
    let mut wire = stream(&address, json!({"hang_after_chunks": 2})).await;
    gateway.terminate().await;
    refuses_connections(&address).await;
    gateway.terminate().await;
    while let Some(piece) = wire.try_piece().await {
        assert!(!piece.is_empty(), "the answer claims to be complete");
    }
    assert_eq!(gateway.exit().await.code(), Some(0));
}
