//! What becomes of an answer whose caller has hung up.
#![cfg(feature = "drain")]
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use std::{
    convert::Infallible,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
    },
    task::{Context, Poll},
    time::Duration,
};

use aigw_core::{rt::Tokio, usage::Kind};
use aigw_policies::drain::{Bounds, DrainLayer};
use bytes::Bytes;
use http::{Request, Response};
use http_body::{Body, Frame};
use http_body_util::BodyExt;
use tokio::time::{Sleep, sleep};
use tower::{Layer, Service, ServiceExt, service_fn};

/// What is seen of an answer from below.
#[derive(Clone, Debug, Default)]
struct Below {
    frames: Arc<AtomicUsize>,
    ended: Arc<AtomicBool>,
    dropped: Arc<AtomicBool>,
}

/// Ten bytes a second.
struct Ticking {
    left: usize,
    sleep: Pin<Box<Sleep>>,
    below: Below,
}

impl Body for Ticking {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.left == 0 {
            self.below.ended.store(true, SeqCst);
            return Poll::Ready(None);
        }
        std::task::ready!(self.sleep.as_mut().poll(cx));
        self.sleep = Box::pin(sleep(SECOND));
        self.left -= 1;
        self.below.frames.fetch_add(1, SeqCst);
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(&[b'x'; 10])))))
    }
}

impl Drop for Ticking {
    fn drop(&mut self) {
        self.below.dropped.store(true, SeqCst);
    }
}

const SECOND: Duration = Duration::from_secs(1);

type Answer = Response<aigw_policies::drain::ResponseBody<Ticking, Tokio>>;

/// A stack whose answers take a second to their head and then one for each of five frames.
fn stack(
    bounds: Bounds,
    below: &Below,
) -> impl Service<
    Request<()>,
    Response = Answer,
    Error = Infallible,
    Future = impl Future<Output = Result<Answer, Infallible>> + Send,
> + Clone {
    let below = below.clone();
    DrainLayer::new(bounds, Tokio).layer(service_fn(move |_: Request<()>| {
        let below = below.clone();
        async move {
            sleep(SECOND).await;
            Ok(Response::new(Ticking {
                left: 5,
                sleep: Box::pin(sleep(SECOND)),
                below,
            }))
        }
    }))
}

#[test]
fn an_answer_dropped_outside_the_runtime_is_cancelled() {
    let below = Below::default();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    let stack = stack(Bounds::new(SECOND * 60, 1 << 20), &below);
    let answer = runtime.block_on(stack.oneshot(Request::new(()))).unwrap();
    drop(answer);
    assert!(below.dropped.load(SeqCst));
}

#[tokio::test(start_paused = true)]
async fn a_dropped_body_is_read_to_its_end() {
    let below = Below::default();
    let stack = stack(Bounds::new(SECOND * 60, 1000), &below);
    let mut answer = stack.oneshot(Request::new(())).await.unwrap();
    answer.body_mut().frame().await.unwrap().unwrap();
    drop(answer);
    sleep(SECOND * 10).await;
    assert_eq!(below.frames.load(SeqCst), 5);
    assert!(below.ended.load(SeqCst) && below.dropped.load(SeqCst));
}

#[tokio::test]
async fn what_a_dropped_stream_used_is_known_exactly() {
    use aigw_core::{
        call::CallLayer,
        meter::{Ending, MeterLayer, Metered},
    };
    use http_body_util::{Full, combinators::UnsyncBoxBody};

    /// Tells the last that is seen of a metered answer.
    struct Told<B: Metered>(B, std::sync::mpsc::Sender<(Ending, Option<u64>)>);

    impl<B: Metered + Unpin> Body for Told<B> {
        type Data = Bytes;
        type Error = B::Error;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            cx: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
            Pin::new(&mut self.0).poll_frame(cx)
        }
    }

    impl<B: Metered> Drop for Told<B> {
        fn drop(&mut self) {
            let used = self.0.meter().reported().get(Kind::Output);
            let _ = self.1.send((self.0.ending(), used));
        }
    }

    const STREAM: &str = concat!(
        "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"hi\"}}]}\n\n",
        "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":7}}\n\n",
        "data: [DONE]\n\n",
    );
    let (told, last) = std::sync::mpsc::channel();
    let metered = MeterLayer::new().layer(service_fn(|_| async {
        let answer = Response::builder().header("content-type", "text/event-stream");
        Ok::<_, Infallible>(answer.body(Full::<Bytes>::from(STREAM)).unwrap())
    }));
    let above = tower::ServiceBuilder::new()
        .map_response(move |answer: Response<_>| {
            answer.map(|body| UnsyncBoxBody::new(Told(body, told.clone())))
        })
        .service(metered);
    let bounds = Bounds::new(SECOND * 60, 1000);
    let stack = DrainLayer::new(bounds, Tokio).layer(CallLayer::new().layer(above));

    let body = Full::<Bytes>::from(r#"{"model":"m","messages":[],"stream":true}"#);
    let request = Request::post("/v1/chat/completions").body(body).unwrap();
    drop(stack.oneshot(request).await.unwrap());
    tokio::task::yield_now().await;
    assert_eq!(last.recv().unwrap(), (Ending::Complete, Some(7)));
}

#[tokio::test(start_paused = true)]
async fn a_call_whose_head_is_not_awaited_is_read_to_its_end() {
    let below = Below::default();
    let stack = stack(Bounds::new(SECOND * 60, 1000), &below);
    let call = tokio::time::timeout(SECOND / 2, stack.oneshot(Request::new(())));
    assert!(call.await.is_err());
    sleep(SECOND * 10).await;
    assert!(below.ended.load(SeqCst));
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_read_to_its_end_spawns_nothing() {
    let below = Below::default();
    let stack = stack(Bounds::new(SECOND * 60, 1000), &below);
    let answer = stack.oneshot(Request::new(())).await.unwrap();
    answer.into_body().collect().await.unwrap();
    assert!(below.dropped.load(SeqCst));
    let tasks = tokio::runtime::Handle::current()
        .metrics()
        .num_alive_tasks();
    assert_eq!(tasks, 0);
}

#[tokio::test(start_paused = true)]
async fn reading_on_stops_at_the_bound_of_time() {
    let below = Below::default();
    let stack = stack(Bounds::new(SECOND * 5 / 2, 1000), &below);
    drop(stack.oneshot(Request::new(())).await.unwrap());
    sleep(SECOND * 10).await;
    assert_eq!(below.frames.load(SeqCst), 2);
    assert!(below.dropped.load(SeqCst) && !below.ended.load(SeqCst));
}

#[tokio::test(start_paused = true)]
async fn reading_on_stops_at_the_bound_of_bytes() {
    let below = Below::default();
    let stack = stack(Bounds::new(SECOND * 60, 25), &below);
    drop(stack.oneshot(Request::new(())).await.unwrap());
    sleep(SECOND * 10).await;
    assert_eq!(below.frames.load(SeqCst), 3);
    assert!(below.dropped.load(SeqCst) && !below.ended.load(SeqCst));
}

#[tokio::test(start_paused = true)]
async fn hang_ups_beyond_the_places_cancel() {
    let (first, second) = (Below::default(), Below::default());
    let layer_bounds = Bounds::new(SECOND * 60, 1000).concurrent(1);
    let below = first.clone();
    let other = second.clone();
    let turn = Arc::new(AtomicUsize::new(0));
    let stack = DrainLayer::new(layer_bounds, Tokio).layer(service_fn(move |_: Request<()>| {
        let below = match turn.fetch_add(1, SeqCst) {
            0 => below.clone(),
            _ => other.clone(),
        };
        async move {
            Ok::<_, Infallible>(Response::new(Ticking {
                left: 5,
                sleep: Box::pin(sleep(SECOND)),
                below,
            }))
        }
    }));
    drop(stack.clone().oneshot(Request::new(())).await.unwrap());
    drop(stack.oneshot(Request::new(())).await.unwrap());
    assert!(second.dropped.load(SeqCst) && !first.dropped.load(SeqCst));
    sleep(SECOND * 10).await;
    assert!(first.ended.load(SeqCst));
}
