//! Readers of HTTP/2 that take nothing.

use std::{
    convert::Infallible,
    future::ready,
    sync::{Arc, Weak},
    time::Duration,
};

use aigw_backends::timeout::ReaderTimeoutLayer;
use aigw_core::{BoxError, rt::Tokio};
use bytes::Bytes;
use http::{Request, Response, Version};
use http_body::Body;
use http_body_util::{BodyExt, Full};
use tokio::time::sleep;
use tower::{ServiceBuilder, ServiceExt};

use crate::Paced;

const PATIENCE: Duration = Duration::from_secs(30);

/// A body of one frame, and whether it is still held.
fn held_body() -> (impl Body<Data = Bytes, Error = Infallible> + Send, Weak<()>) {
    let held = Arc::new(());
    let weak = Arc::downgrade(&held);
    let body = Full::<Bytes>::from("a frame").map_frame(move |frame| {
        let _ = &held;
        frame
    });
    (body, weak)
}

async fn ask(
    version: Version,
    timeout: Duration,
    body: impl Body<Data = Bytes, Error = Infallible> + Send + 'static,
) -> impl Body<Data = Bytes, Error = BoxError> {
    let mut body = Some(body);
    let stack = ServiceBuilder::new()
        .layer(ReaderTimeoutLayer::new(timeout, Tokio))
        .service_fn(move |_| ready(Ok::<_, Infallible>(Response::new(body.take().unwrap()))));
    let request = Request::builder().version(version).body(()).unwrap();
    stack.oneshot(request).await.unwrap().into_body()
}

#[tokio::test(start_paused = true)]
async fn an_http2_answer_that_nobody_reads_is_dropped_in_time_and_is_an_error_then() {
    let (body, held) = held_body();
    let mut answer = ask(Version::HTTP_2, PATIENCE, body).await;
    sleep(Duration::from_millis(29_999)).await;
    assert!(held.upgrade().is_some());
    sleep(Duration::from_millis(2)).await;
    assert!(held.upgrade().is_none());
    assert!(answer.frame().await.unwrap().is_err());
}

#[tokio::test(start_paused = true)]
async fn an_http2_answer_that_is_read_passes_and_leaves_no_watchdog() {
    let (body, held) = held_body();
    let tasks = tokio::runtime::Handle::current().metrics();
    let answer = ask(Version::HTTP_2, PATIENCE, body).await;
    assert_eq!(tasks.num_alive_tasks(), 1);
    sleep(Duration::from_secs(29)).await;
    assert_eq!(answer.collect().await.unwrap().to_bytes(), "a frame");
    tokio::task::yield_now().await;
    assert_eq!(tasks.num_alive_tasks(), 0);
    assert!(held.upgrade().is_none());
}

#[tokio::test(start_paused = true)]
async fn an_answer_over_http1_is_left_to_its_connection() {
    let (body, held) = held_body();
    let answer = ask(Version::HTTP_11, PATIENCE, body).await;
    sleep(Duration::from_secs(3600)).await;
    assert!(held.upgrade().is_some());
    drop(answer);
}

#[tokio::test(start_paused = true)]
async fn a_timeout_of_zero_leaves_the_provider_its_time() {
    let body = Paced::new(&[(Duration::from_millis(20), "late")], &Arc::default());
    let mut answer = ask(Version::HTTP_2, Duration::ZERO, body).await;
    let frame = answer.frame().await.unwrap().unwrap();
    assert_eq!(frame.into_data().unwrap(), "late");
}
