//! When a call has taken too long, and what becomes of it.
#![cfg(feature = "timeout")]
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod reader;

use std::{
    collections::VecDeque,
    convert::Infallible,
    io,
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    task::{Context, Poll},
    time::Duration,
};

use aigw_backends::timeout::{TimeoutLayer, Timeouts, WriteTimeout};
use aigw_core::{
    call::CallLayer,
    meter::{Ending, MeterLayer, Metered},
    outcome::{Fault, FaultKind},
    rt::Tokio,
};
use bytes::Bytes;
use http::{Request, Response};
use http_body::{Body, Frame};
use http_body_util::{BodyExt, Full};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::{Instant, Sleep, sleep},
};
use tower::{ServiceBuilder, ServiceExt};

const SECOND: Duration = Duration::from_secs(1);
const CONTENT: &str = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"hi\"}}]}\n\n";
const COMMENT: &str = ": ping\n\n";

/// Yields pieces, each after its pause, and never ends after the last.
struct Paced {
    pieces: VecDeque<(Duration, &'static str)>,
    next: Option<(Pin<Box<Sleep>>, &'static str)>,
    dropped: Arc<AtomicBool>,
}

impl Paced {
    fn new(pieces: &[(Duration, &'static str)], dropped: &Arc<AtomicBool>) -> Self {
        Self {
            pieces: pieces.iter().copied().collect(),
            next: None,
            dropped: Arc::clone(dropped),
        }
    }
}

impl Body for Paced {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.next.is_none() {
            let Some((pause, piece)) = self.pieces.pop_front() else {
                return Poll::Pending;
            };
            self.next = Some((Box::pin(sleep(pause)), piece));
        }
        let (sleep, piece) = self.next.as_mut().unwrap();
        std::task::ready!(sleep.as_mut().poll(cx));
        let piece = *piece;
        self.next = None;
        Poll::Ready(Some(Ok(Frame::data(Bytes::from(piece)))))
    }
}

impl Drop for Paced {
    fn drop(&mut self) {
        self.dropped.store(true, SeqCst);
    }
}

fn ask(path: &str) -> Request<Full<Bytes>> {
    Request::post(path)
        .body(Full::from(
            r#"{"model":"gpt-4o","messages":[],"stream":true}"#,
        ))
        .unwrap()
}

/// What came of a call: the fault, when, and whether the provider's body was dropped by then.
async fn run(
    timeouts: Timeouts,
    head: Duration,
    media: &'static str,
    pieces: &[(Duration, &'static str)],
    reader_pause: Duration,
) -> (Fault, Duration) {
    let chat = ask("/v1/chat/completions");
    run_call(chat, timeouts, head, media, pieces, reader_pause).await
}

async fn run_call(
    call: Request<Full<Bytes>>,
    timeouts: Timeouts,
    head: Duration,
    media: &'static str,
    pieces: &[(Duration, &'static str)],
    reader_pause: Duration,
) -> (Fault, Duration) {
    let dropped = Arc::new(AtomicBool::new(false));
    let body = Arc::new(Mutex::new(Some(Paced::new(pieces, &dropped))));
    let stack = ServiceBuilder::new()
        .layer(CallLayer::new())
        .layer(TimeoutLayer::try_new(timeouts, Tokio).unwrap())
        .layer(MeterLayer::new())
        .service_fn(move |_| {
            let body = body.lock().unwrap().take().unwrap();
            async move {
                sleep(head).await;
                let mut answer = Response::builder();
                if media != UNSAID {
                    answer = answer.header("content-type", media);
                }
                Ok::<_, Infallible>(answer.body(body).unwrap())
            }
        });
    let start = Instant::now();
    let answer = stack.oneshot(call).await.unwrap();
    if let Some(fault) = answer.extensions().get::<Fault>().copied() {
        assert!(dropped.load(SeqCst), "the call goes on");
        assert_eq!(answer.status(), 504);
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        assert!(body.starts_with(b"{\"error\":"));
        return (fault, start.elapsed());
    }
    let mut body = std::pin::pin!(answer.into_body());
    loop {
        match body.frame().await {
            Some(Ok(_)) => sleep(reader_pause).await,
            Some(Err(error)) => {
                let fault = *Fault::find(&*error).unwrap();
                assert!(dropped.load(SeqCst), "the call goes on");
                assert_eq!(body.ending(), Ending::Fault(fault));
                assert!(body.is_end_stream());
                assert!(body.frame().await.is_none());
                return (fault, start.elapsed());
            }
            None => panic!("the body ended in order"),
        }
    }
}

const EVENTS: &str = "text/event-stream";
/// No content type: what was asked for as a stream is taken for one.
const UNSAID: &str = "";
const JSON: &str = "application/json";

#[tokio::test(start_paused = true)]
async fn a_head_that_does_not_come_is_a_504() {
    let timeouts = Timeouts::default().headers(SECOND * 3).total(SECOND * 60);
    let (fault, at) = run(timeouts, SECOND * 10, EVENTS, &[], Duration::ZERO).await;
    assert_eq!(fault, Fault::dispatched(FaultKind::HeadersTimeout));
    assert_eq!(at, SECOND * 3);
}

#[tokio::test(start_paused = true)]
async fn the_first_token_is_due_from_the_call_on() {
    let timeouts = Timeouts::default().first_token(SECOND * 3);
    let pieces = [(SECOND, COMMENT), (SECOND * 9, CONTENT)];
    let (fault, at) = run(timeouts, SECOND, EVENTS, &pieces, Duration::ZERO).await;
    assert_eq!(fault.kind, FaultKind::FirstTokenTimeout);
    assert_eq!(at, SECOND * 3);
}

#[tokio::test(start_paused = true)]
async fn a_head_does_not_count_as_the_first_token_before_it_has_come() {
    let timeouts = Timeouts::default().first_token(SECOND * 3);
    let (fault, at) = run(timeouts, SECOND * 9, EVENTS, &[], Duration::ZERO).await;
    assert_eq!((fault.kind, at), (FaultKind::FirstTokenTimeout, SECOND * 3));
}

#[tokio::test(start_paused = true)]
async fn comments_do_not_end_a_silence() {
    let timeouts = Timeouts::default().idle(SECOND * 3);
    let pieces = [
        (SECOND, CONTENT),
        (SECOND, COMMENT),
        (SECOND, COMMENT),
        (SECOND * 9, CONTENT),
    ];
    for media in [EVENTS, "Text/Event-Stream ; charset=utf-8", UNSAID] {
        let (fault, at) = run(timeouts, Duration::ZERO, media, &pieces, Duration::ZERO).await;
        assert_eq!((fault.kind, at), (FaultKind::IdleTimeout, SECOND * 4));
    }
}

#[tokio::test(start_paused = true)]
async fn content_ends_a_silence() {
    let timeouts = Timeouts::default().idle(SECOND * 3);
    let pieces = [(SECOND * 2, CONTENT); 5];
    let (fault, at) = run(timeouts, Duration::ZERO, EVENTS, &pieces, Duration::ZERO).await;
    assert_eq!((fault.kind, at), (FaultKind::IdleTimeout, SECOND * 13));
}

#[tokio::test(start_paused = true)]
async fn every_piece_of_a_document_is_progress() {
    let timeouts = Timeouts::default().idle(SECOND * 3).first_token(SECOND * 3);
    let pieces = [(SECOND * 2, "{"), (SECOND * 2, " "), (SECOND * 2, " ")];
    for media in [JSON, "Application/JSON;charset=utf-8"] {
        let (fault, at) = run(timeouts, Duration::ZERO, media, &pieces, Duration::ZERO).await;
        assert_eq!((fault.kind, at), (FaultKind::IdleTimeout, SECOND * 9));
    }
}

#[tokio::test(start_paused = true)]
async fn every_piece_of_a_stream_that_cannot_be_read_is_progress() {
    let timeouts = Timeouts::default().idle(SECOND * 3).first_token(SECOND * 3);
    let pieces = [(SECOND * 2, "event: thread.message.delta\ndata: {}\n\n"); 3];
    let call = ask("/v1/threads/t/runs");
    let zero = Duration::ZERO;
    let (fault, at) = run_call(call, timeouts, zero, EVENTS, &pieces, zero).await;
    assert_eq!((fault.kind, at), (FaultKind::IdleTimeout, SECOND * 9));
}

#[tokio::test(start_paused = true)]
async fn the_usage_of_the_prompt_is_no_first_token() {
    let timeouts = Timeouts::default()
        .first_token(SECOND * 3)
        .total(SECOND * 60);
    let start = "data: {\"type\":\"message_start\",\
        \"message\":{\"usage\":{\"input_tokens\":9,\"output_tokens\":1}}}\n\n";
    let pieces = [(SECOND, start)];
    let zero = Duration::ZERO;
    let call = ask("/v1/messages");
    let (fault, at) = run_call(call, timeouts, zero, EVENTS, &pieces, zero).await;
    assert_eq!((fault.kind, at), (FaultKind::FirstTokenTimeout, SECOND * 3));
}

#[tokio::test(start_paused = true)]
async fn a_slow_reader_is_not_held_against_the_provider() {
    let timeouts = Timeouts::default().idle(SECOND * 3);
    let pieces = [(SECOND, CONTENT); 3];
    let (fault, at) = run(timeouts, Duration::ZERO, EVENTS, &pieces, SECOND * 10).await;
    // Each piece is waited for a second and digested for ten; the silence begins after the last.
    assert_eq!((fault.kind, at), (FaultKind::IdleTimeout, SECOND * 36));
}

#[tokio::test(start_paused = true)]
async fn the_whole_call_is_bounded_even_when_content_flows() {
    let timeouts = Timeouts::default().total(SECOND * 5).idle(SECOND * 3);
    let pieces = [(SECOND, CONTENT); 30];
    let (fault, at) = run(timeouts, SECOND, EVENTS, &pieces, Duration::ZERO).await;
    assert_eq!((fault.kind, at), (FaultKind::TotalTimeout, SECOND * 5));
    let pieces = [(Duration::ZERO, CONTENT); 30];
    let (fault, at) = run(timeouts, SECOND, EVENTS, &pieces, SECOND).await;
    assert_eq!((fault.kind, at), (FaultKind::TotalTimeout, SECOND * 5));
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_all_there_is_not_late() {
    let stack = ServiceBuilder::new()
        .layer(CallLayer::new())
        .layer(TimeoutLayer::try_new(Timeouts::default().total(SECOND), Tokio).unwrap())
        .layer(MeterLayer::new())
        .service_fn(|_| async {
            let answer = Response::builder().header("content-type", JSON);
            Ok::<_, Infallible>(answer.body(Full::<Bytes>::from("{}")).unwrap())
        });
    let answer = stack.oneshot(ask("/v1/chat/completions")).await.unwrap();
    let mut body = std::pin::pin!(answer.into_body());
    assert!(body.frame().await.unwrap().is_ok());
    sleep(SECOND * 9).await;
    assert!(body.frame().await.is_none());
    assert_eq!(body.ending(), Ending::Complete);
}

#[tokio::test(start_paused = true)]
async fn a_reader_that_takes_a_little_now_and_then_is_not_closed() {
    let (server, mut reader) = tokio::io::duplex(16);
    let mut server = WriteTimeout::new(server, SECOND * 3, Tokio);
    let slow = async {
        let mut buf = [0; 16];
        for _ in 0..4 {
            sleep(SECOND * 2).await;
            reader.read_exact(&mut buf).await.unwrap();
        }
    };
    let (written, ()) = tokio::join!(server.write_all(&[0; 64]), slow);
    written.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_reader_that_never_reads_is_closed_in_time() {
    let (server, _reader) = tokio::io::duplex(16);
    let mut server = WriteTimeout::new(server, SECOND * 3, Tokio);
    let start = Instant::now();
    let error = server.write_all(&[0; 64]).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    assert_eq!(start.elapsed(), SECOND * 3);
}
