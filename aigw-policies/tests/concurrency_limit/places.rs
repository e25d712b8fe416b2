//! Who has a place, and for how long.

use std::{
    convert::Infallible,
    future::{Ready, ready},
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    task::{Context, Poll, Waker},
    time::Duration,
};

use aigw_core::{
    BoxError, around,
    call::CallBody,
    key::{Consumer, Dimension},
    rt::{NoTimer, Tokio},
    testing::{
        Provider,
        contract::{body::Sample, drops},
        provider::Config as ProviderConfig,
    },
};
use aigw_policies::{
    budget::Condition,
    concurrency_limit::{ConcurrencyLimitLayer, Config, Levels},
};
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use tokio::time::{Instant, sleep};
use tower::{Layer, Service, ServiceExt, service_fn};

use crate::below::{Below, SECOND, Stack, ask, by, low, read, stack};

fn limit(config: Config) -> ConcurrencyLimitLayer<NoTimer> {
    ConcurrencyLimitLayer::try_new(config, NoTimer).unwrap()
}

fn one() -> ConcurrencyLimitLayer<NoTimer> {
    limit(Config::new([], 1))
}

async fn status(stack: &Stack, request: Request<String>) -> StatusCode {
    stack.clone().oneshot(request).await.unwrap().status()
}

fn counts(levels: Levels) -> (usize, usize) {
    (levels.in_flight, levels.queued)
}

#[tokio::test(start_paused = true)]
async fn a_streamed_answer_holds_its_place_to_the_end_of_its_body() {
    let below = Below::default();
    let stack = below.stack(&one(), 3);
    let mut body = stack.clone().oneshot(ask("a")).await.unwrap().into_body();
    for _ in 0..3 {
        assert_eq!(status(&stack, ask("b")).await, 429);
        body.frame().await.unwrap().unwrap();
    }
    assert_eq!(status(&stack, ask("b")).await, 429);
    assert!(body.frame().await.is_none());
    // The body is still there, and at its end.
    assert_eq!(status(&stack, ask("b")).await, 200);
    assert_eq!(below.names(), ["a", "b"]);
}

#[tokio::test(start_paused = true)]
async fn a_stream_of_hours_keeps_its_place() {
    let limit = one();
    let stack = Below::default().stack(&limit, 4 * 3600);
    let mut body = stack.clone().oneshot(ask("a")).await.unwrap().into_body();
    let start = Instant::now();
    for _ in 0..4 * 3600 {
        body.frame().await.unwrap().unwrap();
        assert_eq!(limit.handle().levels().in_flight, 1);
    }
    assert_eq!(status(&stack, ask("b")).await, 429);
    assert!(start.elapsed() >= 4 * 3600 * SECOND);
}

#[tokio::test]
async fn an_empty_answer_holds_no_place() {
    let limit = one();
    let stack = stack(
        &limit,
        service_fn(async |_| Ok::<_, Infallible>(Response::new(Full::<Bytes>::default()))),
    );
    let answer = stack.clone().oneshot(ask("a")).await.unwrap();
    assert_eq!(limit.handle().levels().in_flight, 0);
    drop(answer);
    assert_eq!(limit.handle().levels().in_flight, 0);
}

#[tokio::test]
async fn an_answer_of_known_length_holds_its_place_to_its_last_byte() {
    let limit = one();
    let stack = stack(
        &limit,
        service_fn(async |_| Ok::<_, Infallible>(Response::new(Full::<Bytes>::from("whole")))),
    );
    let mut body = stack.clone().oneshot(ask("a")).await.unwrap().into_body();
    assert_eq!(limit.handle().levels().in_flight, 1);
    body.frame().await.unwrap().unwrap();
    // Whoever has all that was announced does not poll again.
    assert_eq!(limit.handle().levels().in_flight, 0);
}

#[tokio::test]
async fn an_answer_that_fails_holds_no_place() {
    let limit = one();
    let failing = Sample::all().into_iter().find(|it| it.name() == "an error");
    let failing = failing.unwrap();
    let stack = stack(
        &limit,
        service_fn(move |_| ready(Ok::<_, Infallible>(Response::new(failing.clone())))),
    );
    let mut body = stack.clone().oneshot(ask("a")).await.unwrap().into_body();
    body.frame().await.unwrap().unwrap();
    assert_eq!(limit.handle().levels().in_flight, 1);
    body.frame().await.unwrap().unwrap_err();
    assert_eq!(limit.handle().levels().in_flight, 0);
}

/// What becomes of a call at once, while its future is still there.
fn fails<S>(inner: S, limit: &ConcurrencyLimitLayer<NoTimer>) -> String
where
    S: Service<Request<CallBody<String>>, Response = Response<Full<Bytes>>, Error = BoxError>,
    S: Clone,
{
    let mut call = pin!(around(limit.clone()).layer(inner).call(ask("a")));
    match call.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(Err(error)) => {
            assert_eq!(limit.handle().levels().in_flight, 0);
            error.to_string()
        }
        Poll::Ready(Ok(_)) => panic!("it is answered"),
        Poll::Pending => panic!("it waits"),
    }
}

#[test]
fn a_call_that_fails_holds_no_place() {
    let failing = service_fn(|_| ready(Err::<Response<Full<Bytes>>, BoxError>("no".into())));
    assert_eq!(fails(failing, &one()), "no");
}

/// A service that says how often it was asked whether it is ready, and fails if it is to.
#[derive(Clone)]
struct Asked {
    times: Arc<AtomicUsize>,
    fails: bool,
}

impl<B> Service<Request<B>> for Asked {
    type Response = Response<Full<Bytes>>;
    type Error = BoxError;
    type Future = Ready<Result<Self::Response, BoxError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.times.fetch_add(1, SeqCst);
        Poll::Ready(if self.fails {
            Err("never ready".into())
        } else {
            Ok(())
        })
    }

    fn call(&mut self, _: Request<B>) -> Self::Future {
        ready(Ok(Response::new(Full::from("answer"))))
    }
}

#[test]
fn a_service_that_is_never_ready_holds_no_place() {
    let inner = Asked {
        times: Arc::default(),
        fails: true,
    };
    assert_eq!(fails(inner, &one()), "never ready");
}

#[tokio::test]
async fn whoever_is_refused_or_waits_asks_nothing_of_the_services_below() {
    let config = Config::new([], 1).queue(1, SECOND * 60);
    let limit = ConcurrencyLimitLayer::try_new(config, Tokio).unwrap();
    let inner = Asked {
        times: Arc::default(),
        fails: false,
    };
    let times = Arc::clone(&inner.times);
    let stack = stack(&limit, inner);
    let first = stack.clone().oneshot(ask("a")).await.unwrap();
    assert_eq!(times.load(SeqCst), 1);
    let second = tokio::spawn(stack.clone().oneshot(ask("b")));
    tokio::task::yield_now().await;
    assert_eq!(counts(limit.handle().levels()), (1, 1));
    assert_eq!(status(&stack, ask("c")).await, 429);
    assert_eq!(times.load(SeqCst), 1);
    drop(first);
    assert_eq!(second.await.unwrap().unwrap().status(), 200);
    assert_eq!(times.load(SeqCst), 2);
}

#[tokio::test(start_paused = true)]
async fn a_call_dropped_anywhere_gives_its_place_back() {
    let slow = ProviderConfig::default().time_per_token(Duration::from_millis(1));
    let provider = Provider::with_config(slow, Tokio);
    let limit = one();
    let handle = limit.handle();
    let stack = stack(&limit, provider.clone());
    let call = || stack.clone().oneshot(streamed());
    let mut most = 0;
    drops::at_every_poll(call, |_| {
        most = most.max(provider.calls().len());
        assert_eq!(provider.in_flight(), 0);
        assert_eq!(counts(handle.levels()), (0, 0));
        assert!(handle.levels_by_key().is_empty());
    })
    .await;
    assert!(most > 5, "the calls did not come far enough");
}

#[tokio::test(start_paused = true)]
async fn a_call_dropped_anywhere_in_the_queue_leaves_it() {
    let slow = ProviderConfig::default().time_per_token(Duration::from_millis(1));
    let provider = Provider::with_config(slow, Tokio);
    let config = Config::new([], 1).queue(1, SECOND);
    let limit = ConcurrencyLimitLayer::try_new(config, Tokio).unwrap();
    let handle = limit.handle();
    let stack = stack(&limit, provider.clone());
    let waited = AtomicUsize::new(0);
    let call = || {
        let stack = stack.clone();
        let (waited, handle) = (&waited, &handle);
        async move {
            let before = stack.clone().oneshot(streamed()).await?;
            let mut call = Box::pin(stack.oneshot(streamed()));
            let early = tokio::time::timeout(Duration::from_millis(5), &mut call).await;
            assert!(early.is_err(), "it did not wait");
            waited.fetch_add(handle.levels().queued, SeqCst);
            drop(before);
            call.await
        }
    };
    drops::at_every_poll(call, |_| {
        assert_eq!(provider.in_flight(), 0);
        assert_eq!(counts(handle.levels()), (0, 0));
        assert!(handle.levels_by_key().is_empty());
    })
    .await;
    assert!(waited.load(SeqCst) > 1, "no call came out of the queue");
}

fn streamed() -> Request<String> {
    let body = r#"{"model":"m","stream":true,"messages":[{"role":"user","content":"Hello!"}]}"#;
    ask("a").map(|_| body.to_owned())
}

#[tokio::test(start_paused = true)]
async fn each_key_has_places_of_its_own_and_calls_without_a_value_share_one() {
    let limit = limit(Config::new(["header:x-team".parse().unwrap()], 1));
    let stack = Below::default().stack(&limit, 1);
    let of = |team: Option<&str>| {
        let mut request = ask("");
        if let Some(team) = team {
            let team = team.parse().unwrap();
            request.headers_mut().insert("x-team", team);
        }
        stack.clone().oneshot(request)
    };
    let teams = [Some("a"), Some("b"), Some("-"), Some(""), None];
    let mut held = Vec::new();
    for team in teams {
        let answer = of(team).await.unwrap();
        assert_eq!(answer.status(), 200, "{team:?}");
        held.push(answer);
    }
    for team in teams {
        assert_eq!(of(team).await.unwrap().status(), 429, "{team:?}");
    }
    let mut keys: Vec<String> = limit
        .handle()
        .levels_by_key()
        .into_iter()
        .map(|(key, levels)| {
            assert_eq!(counts(levels), (1, 0));
            key.to_string()
        })
        .collect();
    keys.sort();
    assert_eq!(keys, [":-", ":=", ":=-", ":=a", ":=b"]);
    assert_eq!(counts(limit.handle().levels()), (5, 0));
    drop(held);
    assert!(limit.handle().levels_by_key().is_empty());
}

#[tokio::test(start_paused = true)]
async fn several_properties_make_one_key() {
    let config = Config::new([Dimension::Consumer, Dimension::Model], 1).name("pairs");
    let limit = limit(config);
    let stack = Below::default().stack(&limit, 1);
    let of = |consumer: &str, model: &str| {
        let body = format!(r#"{{"model":"{model}","messages":[]}}"#);
        by(Consumer::new(consumer), ask("").map(|_| body))
    };
    let _held = stack.clone().oneshot(of("a", "m")).await.unwrap();
    assert_eq!(status(&stack, of("a", "m")).await, 429);
    assert_eq!(status(&stack, of("a", "n")).await, 200);
    assert_eq!(status(&stack, of("b", "m")).await, 200);
    let keys = limit.handle().levels_by_key();
    assert_eq!(keys[0].0.as_str(), "pairs:=a:=m");
}

#[tokio::test(start_paused = true)]
async fn calls_that_are_not_meant_pass_uncounted() {
    let gold = Condition::value("label:tier".parse().unwrap(), "gold")
        .and("header:x-name".parse().unwrap(), "a");
    let limit = limit(Config::new([], 1).when(gold));
    let stack = Below::default().stack(&limit, 1);
    let of = |tier: &str, name| by(Consumer::new("c").label("tier", tier), ask(name));
    let held = stack.clone().oneshot(of("silver", "a")).await.unwrap();
    let other = stack.clone().oneshot(of("gold", "b")).await.unwrap();
    let unknown = stack.clone().oneshot(ask("a")).await.unwrap();
    assert_eq!(counts(limit.handle().levels()), (0, 0));
    let gold = stack.clone().oneshot(of("gold", "a")).await.unwrap();
    assert_eq!(counts(limit.handle().levels()), (1, 0));
    assert_eq!(status(&stack, of("gold", "a")).await, 429);
    assert_eq!(status(&stack, of("silver", "a")).await, 200);
    for answer in [held, other, unknown, gold] {
        assert_eq!(read(answer).await, "tick");
    }
    assert_eq!(counts(limit.handle().levels()), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn low_calls_leave_the_reserve_to_the_others() {
    let background = Condition::function(|_, headers| headers.contains_key("x-priority"));
    let limit = limit(Config::new([], 4).low(background, 2));
    let stack = Below::default().stack(&limit, 1);
    let mut held = Vec::new();
    for (request, expected) in [
        (low("a"), 200),
        (low("b"), 200),
        (low("c"), 429),
        (ask("d"), 200),
        (low("e"), 429),
        (ask("f"), 200),
        (ask("g"), 429),
    ] {
        let answer = stack.clone().oneshot(request).await.unwrap();
        assert_eq!(answer.status(), expected);
        held.push(answer);
    }
    // Two come free, and are the reserve: only the third is for a low call.
    held.remove(0);
    held.remove(0);
    assert_eq!(limit.handle().levels().in_flight, 2);
    assert_eq!(status(&stack, low("h")).await, 429);
    held.remove(1);
    assert_eq!(limit.handle().levels().in_flight, 1);
    assert_eq!(status(&stack, low("i")).await, 200);
}

#[tokio::test(start_paused = true)]
async fn services_of_a_layer_share_its_places() {
    let limit = one();
    let below = Below::default();
    let (first, second) = (below.stack(&limit, 1), below.stack(&limit.clone(), 1));
    let held = first.clone().oneshot(ask("a")).await.unwrap();
    assert_eq!(status(&second, ask("b")).await, 429);
    drop(held);
    assert_eq!(status(&second, ask("b")).await, 200);
}

#[tokio::test(start_paused = true)]
async fn what_is_below_is_gone_when_its_place_is_given_on() {
    let config = Config::new([], 1).queue(8, SECOND * 60);
    let limit = ConcurrencyLimitLayer::try_new(config, Tokio).unwrap();
    let below = Below::default();
    let stack = below.stack(&limit, 1);
    let calls: Vec<_> = (0..4)
        .map(|call| {
            let stack = stack.clone();
            tokio::spawn(async move {
                let answer = stack.oneshot(ask("")).await.unwrap();
                if call % 2 == 0 {
                    sleep(SECOND).await;
                    drop(answer);
                } else {
                    read(answer).await;
                }
            })
        })
        .collect();
    for call in calls {
        call.await.unwrap();
    }
    assert_eq!((below.names().len(), below.inside()), (4, 0));
    assert_eq!(below.most(), 1);
}

#[test]
fn many_threads_never_exceed_the_limit() {
    // A wake-up that is lost is a wait to the deadline, and a refusal.
    let config = Config::new([], 4).queue(64, SECOND * 30);
    let limit = ConcurrencyLimitLayer::try_new(config, Tokio).unwrap();
    let inside = Arc::new((AtomicUsize::new(0), AtomicUsize::new(0)));
    let served = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..64 {
            scope.spawn(|| {
                let runtime = tokio::runtime::Builder::new_current_thread()
                    .enable_time()
                    .build()
                    .unwrap();
                let counts = Arc::clone(&inside);
                let provider = service_fn(move |_| {
                    let (now, most) = &*counts;
                    most.fetch_max(now.fetch_add(1, SeqCst) + 1, SeqCst);
                    let counts = Arc::clone(&counts);
                    async move {
                        tokio::task::yield_now().await;
                        counts.0.fetch_sub(1, SeqCst);
                        Ok::<_, Infallible>(Response::new(Full::<Bytes>::from("answer")))
                    }
                });
                let stack = stack(&limit, provider);
                runtime.block_on(async {
                    for _ in 0..50 {
                        let answer = stack.clone().oneshot(ask("")).await.unwrap();
                        assert_eq!(answer.status(), 200);
                        read(answer).await;
                        served.fetch_add(1, SeqCst);
                    }
                });
            });
        }
    });
    assert_eq!(served.load(SeqCst), 64 * 50);
    assert!(inside.1.load(SeqCst) <= 4);
    assert!(limit.handle().levels_by_key().is_empty());
}
