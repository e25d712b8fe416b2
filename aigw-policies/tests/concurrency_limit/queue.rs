//! Who waits, for how long, and who is next.

use std::{
    convert::Infallible,
    future::ready,
    sync::{Arc, Mutex},
    time::Duration,
};

use aigw_core::{
    call::{CallBody, CallLayer},
    rt::Tokio,
};
use aigw_policies::{
    budget::Condition,
    concurrency_limit::{ConcurrencyLimitLayer, Config, Handle},
};
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use tokio::{
    task::JoinHandle,
    time::{Instant, sleep},
};
use tower::{Layer, Service, ServiceExt, service_fn};

use crate::below::{Below, SECOND, Stack, ask, low, read};

const MS: Duration = Duration::from_millis(1);

fn limit(config: Config) -> ConcurrencyLimitLayer<Tokio> {
    let background = Condition::value("header:x-priority".parse().unwrap(), "low");
    ConcurrencyLimitLayer::try_new(config.low(background, 0), Tokio).unwrap()
}

/// Makes a call and reads its answer to the end, in a task; once it has come as far as it can.
async fn start(stack: &Stack, request: Request<String>) -> JoinHandle<StatusCode> {
    let call = stack.clone().oneshot(request);
    let task = tokio::spawn(async move {
        let answer = call.await.unwrap();
        let status = answer.status();
        read(answer).await;
        status
    });
    tokio::task::yield_now().await;
    task
}

fn assert_levels(handle: &Handle, inside: usize, waiting: usize) {
    let levels = handle.levels();
    assert_eq!((levels.in_flight, levels.queued), (inside, waiting));
}

#[tokio::test(start_paused = true)]
async fn calls_enter_as_they_came() {
    let below = Below::default();
    let stack = below.stack(&limit(Config::new([], 2).queue(8, SECOND * 60)), 2);
    let mut calls = Vec::new();
    for name in ["a", "b", "c", "d", "e", "f"] {
        calls.push(start(&stack, ask(name)).await);
    }
    for call in calls {
        assert_eq!(call.await.unwrap(), 200);
    }
    assert_eq!(below.names(), ["a", "b", "c", "d", "e", "f"]);
    assert_eq!(below.most(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_call_has_its_turn_and_its_time_from_when_it_came() {
    let limit = limit(Config::new([], 1).queue(2, SECOND * 2));
    let names = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&names);
    let mut service = limit.layer(service_fn(move |request: Request<CallBody<String>>| {
        let name = request.headers()["x-name"].to_str().unwrap().to_owned();
        seen.lock().unwrap().push(name);
        ready(Ok::<_, Infallible>(Response::new(Full::<Bytes>::from(
            "answer",
        ))))
    }));
    let begin = Instant::now();
    let held = service.call(read_call("a").await).await.unwrap();
    let second = service.call(read_call("b").await);
    let third = service.call(read_call("c").await);
    assert_levels(&limit.handle(), 1, 2);
    sleep(SECOND).await;
    // The third is polled first, and is not the first.
    let mut third = tokio::spawn(third);
    let early = tokio::time::timeout(MS, &mut third).await;
    assert!(early.is_err());
    drop(held);
    assert_levels(&limit.handle(), 1, 1);
    sleep(MS).await;
    assert!(!third.is_finished());
    let second = second.await.unwrap();
    assert_eq!(*names.lock().unwrap(), ["a", "b"]);
    assert_eq!(third.await.unwrap().unwrap().status(), 429);
    let elapsed = begin.elapsed();
    assert!(
        (SECOND * 2..=SECOND * 2 + MS).contains(&elapsed),
        "{elapsed:?}"
    );
    assert_eq!(second.status(), 200);
}

/// A call as a `CallLayer` passes it on.
async fn read_call(name: &str) -> Request<CallBody<String>> {
    let (pass, passed) = std::sync::mpsc::channel();
    let service = service_fn(move |request| {
        pass.send(request).unwrap();
        ready(Ok::<_, Infallible>(Response::new(Full::<Bytes>::default())))
    });
    let answer = CallLayer::new().layer(service).oneshot(ask(name)).await;
    assert_eq!(answer.unwrap().status(), 200);
    passed.recv().unwrap()
}

#[tokio::test(start_paused = true)]
async fn high_calls_enter_before_low_ones() {
    let below = Below::default();
    let stack = below.stack(&limit(Config::new([], 1).queue(8, SECOND * 60)), 2);
    let mut calls = Vec::new();
    for request in [ask("a"), low("b"), ask("c"), low("d"), ask("e")] {
        calls.push(start(&stack, request).await);
    }
    for call in calls {
        assert_eq!(call.await.unwrap(), 200);
    }
    assert_eq!(below.names(), ["a", "c", "e", "b", "d"]);
}

#[tokio::test(start_paused = true)]
async fn a_call_enters_the_moment_a_place_comes_free() {
    let limit = limit(Config::new([], 1).queue(1, SECOND * 60));
    let below = Below::default();
    let stack = below.stack(&limit, 3);
    let begin = Instant::now();
    let first = start(&stack, ask("a")).await;
    let second = start(&stack, ask("b")).await;
    first.await.unwrap();
    // A second to the head, three for its frames.
    let elapsed = begin.elapsed();
    assert!((SECOND * 4..SECOND * 4 + 5 * MS).contains(&elapsed));
    tokio::task::yield_now().await;
    assert_eq!(below.names(), ["a", "b"]);
    assert!(begin.elapsed() - elapsed < MS);
    assert_eq!(second.await.unwrap(), 200);
}

#[tokio::test(start_paused = true)]
async fn a_wait_ends_at_its_deadline_and_not_before() {
    let limit = limit(Config::new([], 1).queue(2, SECOND * 2));
    let handle = limit.handle();
    let below = Below::default();
    let stack = below.stack(&limit, 60);
    let first = start(&stack, ask("a")).await;
    let begin = Instant::now();
    let second = start(&stack, ask("b")).await;
    sleep(SECOND).await;
    // Each has a deadline of its own.
    let third = start(&stack, ask("c")).await;
    sleep(SECOND - 2 * MS).await;
    assert_levels(&handle, 1, 2);
    assert_eq!(second.await.unwrap(), 429);
    let elapsed = begin.elapsed();
    assert!(
        (SECOND * 2..=SECOND * 2 + MS).contains(&elapsed),
        "{elapsed:?}"
    );
    assert_levels(&handle, 1, 1);
    assert_eq!(third.await.unwrap(), 429);
    let elapsed = begin.elapsed();
    assert!(
        (SECOND * 3..=SECOND * 3 + 2 * MS).contains(&elapsed),
        "{elapsed:?}"
    );
    assert_levels(&handle, 1, 0);
    assert_eq!(first.await.unwrap(), 200);
    assert_eq!(below.names(), ["a"]);
}

#[tokio::test(start_paused = true)]
async fn a_place_that_comes_free_just_before_the_deadline_is_taken() {
    let limit = limit(Config::new([], 1).queue(1, SECOND * 2));
    let stack = Below::default().stack(&limit, 60);
    let held = stack.clone().oneshot(ask("a")).await.unwrap();
    let second = start(&stack, ask("b")).await;
    sleep(SECOND * 2 - 2 * MS).await;
    drop(held);
    assert_eq!(second.await.unwrap(), 200);
}

#[tokio::test(start_paused = true)]
async fn a_wait_does_not_count_once_the_call_is_inside() {
    let limit = limit(Config::new([], 1).queue(1, SECOND * 2));
    let stack = Below::default().stack(&limit, 60);
    let held = stack.clone().oneshot(ask("a")).await.unwrap();
    let second = start(&stack, ask("b")).await;
    drop(held);
    let begin = Instant::now();
    assert_eq!(second.await.unwrap(), 200);
    assert!(begin.elapsed() > SECOND * 60);
}

#[tokio::test(start_paused = true)]
async fn a_full_queue_refuses_at_once() {
    let limit = limit(Config::new([], 1).queue(2, SECOND * 60));
    let below = Below::default();
    let stack = below.stack(&limit, 1);
    let mut calls = Vec::new();
    for name in ["a", "b", "c"] {
        calls.push(start(&stack, ask(name)).await);
    }
    let begin = Instant::now();
    let refused = stack.clone().oneshot(ask("d")).await.unwrap();
    assert_eq!(
        (refused.status(), begin.elapsed()),
        (StatusCode::TOO_MANY_REQUESTS, Duration::ZERO)
    );
    for call in calls {
        assert_eq!(call.await.unwrap(), 200);
    }
    assert_eq!(below.names(), ["a", "b", "c"]);
}

#[tokio::test(start_paused = true)]
async fn keys_do_not_wait_for_each_other() {
    let key = "header:x-team".parse().unwrap();
    let limit = limit(Config::new([key], 1).queue(1, SECOND * 60));
    let below = Below::default();
    let stack = below.stack(&limit, 10);
    let of = |team: &str, name: &str| {
        let mut request = ask(name);
        let team = team.parse().unwrap();
        request.headers_mut().insert("x-team", team);
        request
    };
    let _first = start(&stack, of("x", "a")).await;
    let _second = start(&stack, of("x", "b")).await;
    let _third = start(&stack, of("y", "c")).await;
    assert_eq!(below.names(), ["a", "c"]);
    assert_levels(&limit.handle(), 2, 1);
    let waiting: Vec<String> = limit
        .handle()
        .levels_by_key()
        .into_iter()
        .filter(|(_, levels)| levels.queued == 1)
        .map(|(key, _)| key.to_string())
        .collect();
    assert_eq!(waiting, [":=x"]);
}

#[tokio::test(start_paused = true)]
async fn whoever_hangs_up_in_the_queue_leaves_it() {
    let limit = limit(Config::new([], 1).queue(2, SECOND * 60));
    let below = Below::default();
    let stack = below.stack(&limit, 1);
    let first = start(&stack, ask("a")).await;
    let second = start(&stack, ask("b")).await;
    let third = start(&stack, ask("c")).await;
    second.abort();
    assert!(second.await.unwrap_err().is_cancelled());
    assert_levels(&limit.handle(), 1, 1);
    let fourth = start(&stack, ask("d")).await;
    for call in [first, third, fourth] {
        assert_eq!(call.await.unwrap(), 200);
    }
    assert_eq!(below.names(), ["a", "c", "d"]);
}

#[tokio::test(start_paused = true)]
async fn a_place_given_to_whoever_hangs_up_goes_to_the_next() {
    let limit = limit(Config::new([], 1).queue(2, SECOND * 60));
    let below = Below::default();
    let mut stack = below.stack(&limit, 1);
    let held = stack.clone().oneshot(ask("a")).await.unwrap();
    // Polled once, so that it waits, and not again.
    let mut second = stack.ready().await.unwrap().call(ask("b"));
    assert!(
        std::future::poll_fn(|cx| {
            std::task::Poll::Ready(second.as_mut().poll(cx).is_pending())
        })
        .await
    );
    let third = start(&stack, ask("c")).await;
    assert_levels(&limit.handle(), 1, 2);
    drop(held);
    assert_levels(&limit.handle(), 1, 1);
    drop(second);
    assert_levels(&limit.handle(), 1, 0);
    assert_eq!(third.await.unwrap(), 200);
    assert_eq!(below.names(), ["a", "c"]);
    assert!(limit.handle().levels_by_key().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_high_call_takes_the_place_of_the_last_low_one_in_a_full_queue() {
    let limit = limit(Config::new([], 1).queue(2, SECOND * 60));
    let below = Below::default();
    let stack = below.stack(&limit, 1);
    let first = start(&stack, ask("a")).await;
    let second = start(&stack, low("b")).await;
    let third = start(&stack, low("c")).await;
    let fourth = start(&stack, ask("d")).await;
    let begin = Instant::now();
    assert_eq!(third.await.unwrap(), 429);
    assert_eq!(begin.elapsed(), Duration::ZERO);
    for call in [first, second, fourth] {
        assert_eq!(call.await.unwrap(), 200);
    }
    assert_eq!(below.names(), ["a", "d", "b"]);
}

#[tokio::test(start_paused = true)]
async fn more_calls_let_those_in_who_wait() {
    let limit = limit(Config::new([], 1).queue(8, SECOND * 60));
    let handle = limit.handle();
    let below = Below::default();
    let stack = below.stack(&limit, 60);
    let mut calls = Vec::new();
    for name in ["a", "b", "c", "d"] {
        calls.push(start(&stack, ask(name)).await);
    }
    assert_levels(&handle, 1, 3);
    handle.set_calls(3).unwrap();
    assert_levels(&handle, 3, 1);
    let begin = Instant::now();
    tokio::task::yield_now().await;
    assert_eq!(below.names(), ["a", "b", "c"]);
    assert_eq!(begin.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn fewer_calls_let_those_inside_finish() {
    let limit = limit(Config::new([], 3).queue(8, SECOND * 60));
    let handle = limit.handle();
    let below = Below::default();
    let stack = below.stack(&limit, 1);
    let mut held = Vec::new();
    for name in ["a", "b", "c"] {
        held.push(stack.clone().oneshot(ask(name)).await.unwrap());
    }
    handle.set_calls(1).unwrap();
    assert_eq!(handle.calls(), 1);
    let waiting = start(&stack, ask("d")).await;
    for inside in [3, 2, 1] {
        assert_levels(&handle, inside, 1);
        assert_eq!(below.names(), ["a", "b", "c"]);
        assert_eq!(read(held.remove(0)).await, "tick");
    }
    assert_eq!(waiting.await.unwrap(), 200);
    assert_levels(&handle, 0, 0);
}

#[tokio::test(start_paused = true)]
async fn a_limit_is_not_changed_to_what_cannot_take_effect() {
    let background = Condition::value("header:x-priority".parse().unwrap(), "low");
    let config = Config::new([], 4).low(background, 2);
    let handle = ConcurrencyLimitLayer::try_new(config, Tokio)
        .unwrap()
        .handle();
    assert!(handle.set_calls(0).is_err());
    let error = handle.set_calls(2).unwrap_err();
    assert_eq!(
        error.to_string(),
        "`reserve` (2) must be below `calls` (2), or `low` calls never enter"
    );
    assert_eq!(handle.calls(), 4);
    handle.set_calls(3).unwrap();
    assert_eq!(handle.calls(), 3);
}
