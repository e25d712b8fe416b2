//! Callers who do not read: the provider is stalled, not buffered, and they are closed in time.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::SeqCst},
    },
    time::Duration,
};

use tokio::{
    sync::mpsc::{UnboundedReceiver, unbounded_channel},
    time::timeout,
};

use crate::{
    callers::Caller,
    house::{House, PATIENCE, one_backend},
    upstream::{STREAM, chunk, event, upstream},
    wire::{Wire, post},
};

/// What kernels may hold on both sides of the gateway, and much more than the gateway does: an
/// answer has no end here.
const BOUND: u64 = 16 << 20;

/// A write that takes so long is stalled.
const STALLED: Duration = Duration::from_millis(500);

fn stream_request() -> String {
    let mut body = Caller::OpenAi.body();
    body["stream"] = true.into();
    post(Caller::OpenAi.path(), &body.to_string())
}

/// The events of an answer without end: each begins with its number.
fn numbered(number: u64) -> String {
    event(&format!("{number:08}{}", "x".repeat(16 << 10)))
}

/// A provider whose answer has no end: its URL, and how many bytes each caller had taken of it when
/// the provider was let go.
async fn endless() -> (String, UnboundedReceiver<u64>) {
    let (tell, told) = unbounded_channel();
    let url = upstream(move |mut wire| {
        let tell = tell.clone();
        async move {
            wire.request().await.unwrap();
            wire.send(STREAM).await;
            let mut written = 0;
            for number in 0.. {
                let event = numbered(number);
                if wire.try_send(chunk(&event)).await.is_err() {
                    break;
                }
                written += event.len() as u64;
            }
            tell.send(written).unwrap();
        }
    })
    .await;
    (url, told)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_who_never_reads_is_closed_and_the_provider_let_go() {
    let (url, mut told) = endless().await;
    let house = House::open(&one_backend(&url, r#"write_timeout = "300ms""#)).await;
    let mut wire = Wire::connect_narrow(house.address()).await;
    wire.send(stream_request()).await;

    let written = timeout(PATIENCE, told.recv()).await.expect("it is let go");
    assert!(written.unwrap() < BOUND, "{written:?} bytes were taken");
    let used = house.used_by("upstream", 1).await;
    assert_eq!(used.dropped, 1);
    house.quiet().await;
    drop(wire);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_http2_a_stream_that_is_never_read_is_given_up_too() {
    let (url, mut told) = endless().await;
    let house = House::open(&one_backend(&url, r#"write_timeout = "300ms""#)).await;
    let mut client = crate::versions::http2(house.address()).await;
    let mut body = Caller::OpenAi.body();
    body["stream"] = true.into();
    let request = http::Request::post(format!("{}{}", house.url(), Caller::OpenAi.path())).body(
        http_body_util::Full::new(bytes::Bytes::from(body.to_string())),
    );
    let answer = client.send_request(request.unwrap()).await.unwrap();

    let written = timeout(PATIENCE, told.recv()).await.expect("it is let go");
    assert!(written.unwrap() < BOUND, "{written:?} bytes were taken");
    let used = house.used_by("upstream", 1).await;
    assert_eq!(used.dropped, 1);
    drop(answer);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_reader_stalls_the_provider_and_misses_nothing() {
    let (tell, mut told) = unbounded_channel();
    let written = Arc::<AtomicU64>::default();
    let counter = Arc::clone(&written);
    let url = upstream(move |mut wire| {
        let (tell, counter) = (tell.clone(), Arc::clone(&counter));
        async move {
            wire.request().await.unwrap();
            wire.send(STREAM).await;
            let mut stream = wire.into_stream();
            for number in 0.. {
                let event = numbered(number);
                let data = chunk(&event);
                let write = tokio::io::AsyncWriteExt::write_all(&mut stream, data.as_bytes());
                tokio::pin!(write);
                let done = match timeout(STALLED, &mut write).await {
                    Ok(done) => done,
                    Err(_) => {
                        let _ = tell.send(());
                        write.await
                    }
                };
                if done.is_err() {
                    break;
                }
                counter.fetch_add(event.len() as u64, SeqCst);
            }
        }
    })
    .await;
    let house = House::open(&one_backend(&url, "")).await;
    let mut wire = Wire::connect_narrow(house.address()).await;
    wire.send(stream_request()).await;

    timeout(PATIENCE, told.recv())
        .await
        .expect("it stalls")
        .unwrap();
    let stalled = written.load(SeqCst);
    assert!(stalled < BOUND, "{stalled} bytes were taken unread");

    // Whoever reads on gets it all, in order, and the provider goes on.
    assert_eq!(wire.head().await.status(), 200);
    let length = numbered(0).len();
    let (mut unread, mut read) = (Vec::new(), 0);
    for number in 0.. {
        while unread.len() < length {
            unread.extend(wire.piece().await.unwrap());
        }
        let rest = unread.split_off(length);
        assert!(unread == numbered(number).as_bytes(), "event {number}");
        unread = rest;
        read += length as u64;
        if read > stalled + BOUND / 4 {
            break;
        }
    }
    assert!(written.load(SeqCst) > stalled);
    drop(wire);
    house.quiet().await;
}
