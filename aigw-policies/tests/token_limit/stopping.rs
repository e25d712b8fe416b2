//! A stream that has used its budget up is ended as if the model had reached its greatest length.

use std::{
    cell::RefCell,
    collections::VecDeque,
    convert::Infallible,
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use aigw_core::{
    call::{CallLayer, Record},
    meter::{Ending, MeterLayer, Metered},
    rt::Tokio,
    testing::{Provider, contract::drops, provider},
};
use aigw_policies::{
    budget::{Align, Key, Limit, MemoryStore, Period, Quota, Store},
    token_limit::{Budget, Charged, OnOpaque, Output, Stopped, TokenLimitLayer},
};
use bytes::Bytes;
use http::Request;
use http_body::{Body, Frame};
use http_body_util::BodyExt;
use tower::{ServiceBuilder, ServiceExt, service_fn};

use crate::{
    dialects::{ALL, ASKED, CHAT, read},
    house::{House, Told, chat, per_minute, request, stream, usage},
};

/// 100 are estimated of the prompt and 50 expected of the answer: 50 are left.
const LIMIT: u64 = 200;

fn house() -> House {
    House::new([Budget::new("rate", per_minute(LIMIT))]).limit(|limit| limit.stop_streams(true))
}

impl House {
    fn spent(&self) -> u64 {
        LIMIT - self.left("rate", per_minute(LIMIT))
    }
}

/// Cuts a stream every so many bytes, the first time after the first ones.
fn cut(stream: &str, first: usize, each: usize) -> Vec<String> {
    let (start, rest) = stream.split_at(first);
    let rest = rest.as_bytes().chunks(each);
    let rest = rest.map(|frame| String::from_utf8(frame.to_vec()).unwrap());
    std::iter::once(start.to_owned()).chain(rest).collect()
}

fn text(body: &Bytes) -> &str {
    std::str::from_utf8(body).unwrap()
}

/// Whether a call was settled, which it is at most once.
fn is_settled(record: &Record) -> bool {
    let charged: Vec<Arc<Charged>> = record.all();
    assert!(charged.len() <= 1, "settled {} times", charged.len());
    !charged.is_empty()
}

#[tokio::test(start_paused = true)]
async fn it_ends_behind_a_whole_event_wherever_its_frames_are_cut() {
    for dialect in &ALL {
        let whole = dialect.events(40).concat();
        let expected = read(&whole);
        let length = dialect.content.len();
        let shifted = (0..length).map(|first| (first, length));
        let sizes = [1, 2, 3, 7, 50, 1000].map(|each| (0, each));
        for (first, each) in shifted.chain(sizes) {
            let how = format!("{} cut at {first} and every {each}", dialect.path);
            let frames = cut(&whole, first, each);
            let house = house().answering(move |_| stream(frames.clone()));
            let mut request = dialect.request();
            let record = Record::of(request.extensions_mut());
            let answer = house.call(request).await;
            let events = read(text(answer.body()));
            let passed = events.len() - dialect.endings;
            assert_eq!(events[..passed], expected[..passed], "{how}");
            // The event that uses the rest up may not have begun to pass, and a frame has many.
            let fits = 9..expected.len() - 10;
            assert!(fits.contains(&passed), "{how}: {passed}");
            (dialect.ending)(&events[passed..]);
            assert!(is_settled(&record), "{how}");
            let stopped: Arc<Stopped> = record.latest().unwrap();
            assert_eq!(stopped.budget.name(), "rate", "{how}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn it_passes_what_the_budget_has_and_is_charged_with_what_has_passed() {
    let house = house().answering(|_| stream(CHAT.events(40)));
    let mut request = CHAT.request();
    let record = Record::of(request.extensions_mut());
    let answer = house.call(request).await;
    // Ten events of ten tokens, besides the prompt.
    assert_eq!(read(text(answer.body())).len(), 1 + 10 + 2);
    assert_eq!(house.spent(), 200);
    let charged: Arc<Charged> = record.latest().unwrap();
    assert_eq!(charged.charges[0].used, 200);
}

#[tokio::test(start_paused = true)]
async fn it_passes_no_more_than_was_left_for_it() {
    let quota = Quota::try_new(230, Period::Year, Align::Utc).unwrap();
    let answers = Mutex::new(VecDeque::from([usage(80, 20), stream(CHAT.events(40))]));
    let house = House::new([Budget::new("year", quota)])
        .limit(|limit| limit.stop_streams(true))
        .answering(move |_| answers.lock().unwrap().pop_front().unwrap());
    house.call(chat(50)).await;
    // 130 are left: 20 less than are expected.
    assert_eq!(house.left("year", quota.into()), 130);
    let answer = house.call(CHAT.request()).await;
    assert_eq!(read(text(answer.body())).len(), 1 + 3 + 2);
    assert_eq!(house.left("year", quota.into()), 0);
}

#[tokio::test(start_paused = true)]
async fn it_is_told_its_usage_where_the_caller_asks_for_it() {
    let house = house().answering(|_| stream(CHAT.events(40)));
    let answer = house.call(request(ASKED)).await;
    let events = read(text(answer.body()));
    let (_, last) = &events[events.len() - 2];
    assert_eq!(last["choices"].as_array().unwrap().len(), 0);
    assert_eq!(last["usage"]["prompt_tokens"], 100);
    assert_eq!(last["usage"]["completion_tokens"], 100);
}

#[tokio::test(start_paused = true)]
async fn unless_it_is_asked_for_every_stream_runs_on() {
    for dialect in &ALL {
        let events = dialect.events(40);
        let whole = events.concat();
        let house = House::new([Budget::new("rate", per_minute(LIMIT))])
            .answering(move |_| stream(events.clone()));
        let mut request = dialect.request();
        let record = Record::of(request.extensions_mut());
        let answer = house.call(request).await;
        assert_eq!(text(answer.body()), whole);
        assert!(record.latest::<Stopped>().is_none());
    }
}

#[tokio::test(start_paused = true)]
async fn while_a_budget_has_something_left_it_runs_on() {
    for limit in [481, 100_000] {
        let house = House::new([Budget::new("rate", per_minute(limit))])
            .limit(|limit| limit.stop_streams(true))
            .answering(|_| stream(CHAT.events(38)));
        let answer = house.call(CHAT.request()).await;
        assert_eq!(text(answer.body()), CHAT.events(38).concat(), "{limit}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_budget_that_is_not_used_by_output_stops_nothing() {
    let house = House::new([Budget::new("calls", per_minute(1)).calls()])
        .limit(|limit| limit.stop_streams(true))
        .answering(|_| stream(CHAT.events(40)));
    let answer = house.call(CHAT.request()).await;
    assert_eq!(text(answer.body()), CHAT.events(40).concat());
}

#[tokio::test(start_paused = true)]
async fn a_guess_that_is_more_than_the_limit_does_not_let_it_run_on() {
    // All of it is held for the prompt and a part of what is expected.
    let limit = per_minute(120);
    let house = House::new([Budget::new("rate", limit)])
        .limit(|limit| limit.stop_streams(true))
        .answering(|_| stream(CHAT.events(40)));
    let answer = house.call(CHAT.request()).await;
    assert_eq!(read(text(answer.body())).len(), 1 + 2 + 2);
    assert_eq!(house.left("rate", limit), 0);
}

#[tokio::test(start_paused = true)]
async fn what_flows_back_meanwhile_lets_it_run_on() {
    let provider = provider::Config::default().time_per_token(Duration::from_secs(1));
    let limit = |stops| {
        let budget = Budget::new("rate", per_minute(LIMIT));
        TokenLimitLayer::try_new([budget], MemoryStore::with_clock(Tokio, 10), OnOpaque::Pass)
            .unwrap()
            .output(Output::Tokens(10))
            .estimator(Told::default())
            .stop_streams(stops)
    };
    let mut bodies = Vec::new();
    for stops in [false, true] {
        let stack = ServiceBuilder::new()
            .layer(CallLayer::new())
            .layer(limit(stops))
            .layer(MeterLayer::new())
            .service(Provider::with_config(provider.clone(), Tokio));
        let mut request = CHAT.request();
        let script = r#"{"default":{"tokens":400}}"#.parse().unwrap();
        request.headers_mut().insert("x-simulation", script);
        let answer = stack.oneshot(request).await.unwrap();
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        bodies.push(read(text(&body)).len());
    }
    assert_eq!(bodies[0], bodies[1]);
}

/// A stream that never ends, and tells when it is dropped.
struct Endless {
    events: VecDeque<String>,
    dropped: Arc<AtomicBool>,
}

impl Body for Endless {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match self.events.pop_front() {
            Some(event) => Poll::Ready(Some(Ok(Frame::data(event.into())))),
            None => Poll::Pending,
        }
    }
}

impl Drop for Endless {
    fn drop(&mut self) {
        self.dropped.store(true, Ordering::SeqCst);
    }
}

#[tokio::test(start_paused = true)]
async fn the_providers_body_is_dropped_at_once_and_the_callers_ends_in_order() {
    let dropped = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&dropped);
    let budget = Budget::new("rate", per_minute(LIMIT));
    let store = MemoryStore::with_clock(Tokio, 10);
    let limit = TokenLimitLayer::try_new([budget], store, OnOpaque::Pass)
        .unwrap()
        .output(Output::Tokens(50))
        .estimator(Told::default())
        .stop_streams(true);
    let stack = ServiceBuilder::new()
        .layer(CallLayer::new())
        .layer(limit)
        .layer(MeterLayer::new())
        .service(service_fn(move |_: Request<_>| {
            let body = Endless {
                events: CHAT.events(12).into_iter().take(12).collect(),
                dropped: Arc::clone(&dropped),
            };
            let answer = http::Response::builder().header("content-type", "text/event-stream");
            std::future::ready(Ok::<_, Infallible>(answer.body(body).unwrap()))
        }));
    let mut request = CHAT.request();
    let record = Record::of(request.extensions_mut());
    let mut body = stack.oneshot(request).await.unwrap().into_body();
    while !seen.load(Ordering::SeqCst) {
        assert!(!is_settled(&record) && body.ending() == Ending::Dropped);
        body.frame().await.unwrap().unwrap();
    }
    assert!(is_settled(&record) && !body.is_end_stream());
    assert_eq!(body.ending(), Ending::Cut("token_limit"));
    assert_eq!(body.meter().output_estimate(), 100);
    let ending = body.frame().await.unwrap().unwrap().into_data().unwrap();
    assert!(text(&ending).contains(r#""finish_reason":"length""#));
    assert!(body.is_end_stream());
    assert!(body.frame().await.is_none() && body.frame().await.is_none());
    drop(body);
    assert!(is_settled(&record));
}

#[tokio::test(start_paused = true)]
async fn what_has_said_why_it_ends_is_not_touched() {
    let usage =
        "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":100,\"completion_tokens\":100}}\n\n";
    let mut events = CHAT.events(10);
    events.truncate(10);
    // The tenth event, which would be the last, says so itself; its usage follows.
    let last = CHAT
        .content
        .replace("}}]}", "},\"finish_reason\":\"stop\"}]}");
    events.extend([last, usage.to_owned(), "data: [DONE]\n\n".to_owned()]);
    let whole = events.concat();
    for each in [whole.len(), 10, CHAT.content.len()] {
        let frames = cut(&whole, 0, each);
        let house = house().answering(move |_| stream(frames.clone()));
        let mut request = request(ASKED);
        let record = Record::of(request.extensions_mut());
        let answer = house.call(request).await;
        assert_eq!(text(answer.body()), whole);
        assert!(record.latest::<Stopped>().is_none());
    }
}

#[tokio::test(start_paused = true)]
async fn each_choice_under_way_is_finished() {
    let choices = |index| {
        CHAT.content
            .replace("\"index\":0", &format!("\"index\":{index}"))
    };
    let finished = CHAT.after[0].replace("\"index\":0", "\"index\":1");
    let mut events = vec![choices(0), choices(1), choices(2), finished];
    events.extend(vec![choices(2); 20]);
    let house = house().answering(move |_| stream(events.clone()));
    let asked = r#"{"model":"m","n":3,"user":"0","stream":true,"messages":[]}"#;
    let answer = house.call(request(asked)).await;
    let events = read(text(answer.body()));
    let [.., (_, first), (_, second), (_, done)] = &*events else {
        panic!("{events:?}");
    };
    for (chunk, index) in [(first, 0), (second, 2)] {
        assert_eq!(chunk["choices"][0]["index"], index);
        assert_eq!(chunk["choices"][0]["finish_reason"], "length");
    }
    assert_eq!(done, "[DONE]");
}

#[tokio::test(start_paused = true)]
async fn a_usage_that_the_caller_did_not_ask_for_stays_hidden() {
    // The meter asks for it, and holds back events to find it.
    let mut events = CHAT.events(10);
    events.insert(
        11,
        "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":1}}\n\n".into(),
    );
    for first in 0..CHAT.content.len() {
        let frames = cut(&events.concat(), first, CHAT.content.len());
        let house = house().answering(move |_| stream(frames.clone()));
        let answer = house.call(CHAT.request()).await;
        assert!(!text(answer.body()).contains("usage"), "{first}");
    }
}

#[tokio::test(start_paused = true)]
async fn documents_and_encoded_streams_are_never_ended() {
    let content = "x".repeat(4000);
    let document = format!(r#"{{"choices":[{{"message":{{"content":"{content}"}}}}]}}"#);
    let events = CHAT.events(40).concat();
    for (name, value, whole) in [
        ("content-type", "application/json", &document),
        ("content-encoding", "gzip", &events),
    ] {
        let frames = cut(whole, 0, 100);
        let house = house().answering(move |_| {
            let mut answer = stream(frames.clone());
            answer.headers_mut().insert(name, value.parse().unwrap());
            answer
        });
        let answer = house.call(CHAT.request()).await;
        assert_eq!(text(answer.body()), whole);
    }
}

#[tokio::test(start_paused = true)]
async fn no_length_is_announced_of_what_may_be_ended() {
    for (stops, announced) in [(false, true), (true, false)] {
        let house = house()
            .limit(|limit| limit.stop_streams(stops))
            .answering(|_| {
                let events = CHAT.events(1);
                let mut answer = stream(events.clone());
                let length = events.concat().len().into();
                answer.headers_mut().insert("content-length", length);
                answer
            });
        let answer = house.call(request(ASKED)).await;
        assert_eq!(answer.headers().contains_key("content-length"), announced);
    }
}

#[tokio::test(start_paused = true)]
async fn dropped_after_any_number_of_polls_it_is_settled_once() {
    let provider = provider::Config::default().time_per_token(Duration::from_millis(1));
    let provider = Provider::with_config(provider, Tokio);
    // A quota, for what a rate lets flow back hides what was charged.
    let quota = Quota::try_new(LIMIT, Period::Year, Align::Rolling);
    let limit: Limit = quota.unwrap().into();
    let key = Key::new("rate", [None::<&str>; 0]);
    let last = RefCell::new(None);
    let call = || {
        let store = MemoryStore::with_clock(Tokio, 10);
        let layer =
            TokenLimitLayer::try_new([Budget::new("rate", limit)], store.clone(), OnOpaque::Pass);
        let layer = layer.unwrap().output(Output::Tokens(50));
        let stack = ServiceBuilder::new()
            .layer(CallLayer::new())
            .layer(layer.estimator(Told::default()).stop_streams(true))
            .layer(MeterLayer::new())
            .service(provider.clone());
        let mut request = CHAT.request();
        let script = r#"{"default":{"tokens":400}}"#.parse().unwrap();
        request.headers_mut().insert("x-simulation", script);
        let record = Record::of(request.extensions_mut());
        *last.borrow_mut() = Some((store, record));
        stack.oneshot(request)
    };
    let check = |end| {
        let (store, record) = last.borrow_mut().take().unwrap();
        let left = store
            .left(&key, &limit)
            .map_or(LIMIT, |left| left.remaining);
        let is_settled = is_settled(&record);
        let charged = record.latest::<Charged>();
        let used = charged.map_or(0, |charged| charged.charges[0].used);
        assert_eq!(left, LIMIT.saturating_sub(used), "{end:?}");
        assert!(is_settled || used == 0, "{end:?}");
        assert_eq!(provider.in_flight(), 0, "{end:?}");
        if end == drops::Left::AtItsEnd {
            assert!(record.latest::<Stopped>().is_some() && used >= LIMIT - 32);
        }
    };
    drops::at_every_poll(call, check).await;
}

#[cfg(feature = "redis")]
#[tokio::test]
#[ignore = "needs a Redis"]
#[expect(
    clippy::disallowed_methods,
    reason = "the test command says where its Redis is"
)]
async fn in_redis_what_was_left_at_the_beginning_counts() {
    use aigw_policies::budget::redis::{Config, OnError, RedisStore};

    let url = std::env::var("AIGW_TEST_REDIS_URL").expect("a Redis: run `cargo xtask test`");
    let client = redis::Client::open(url).unwrap();
    let connection = client.get_multiplexed_async_connection().await.unwrap();
    let since = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap();
    let namespace = format!("test-{}-{}", std::process::id(), since.as_nanos());
    let config = Config::try_new(namespace, OnError::Deny).unwrap();
    let config = config.deadline(Duration::from_secs(20));
    let (store, driver) = RedisStore::new(connection, Tokio, config);
    tokio::spawn(driver);
    let quota = Quota::try_new(LIMIT, Period::Year, Align::Utc).unwrap();
    let layer =
        TokenLimitLayer::try_new([Budget::new("rate", quota)], store.clone(), OnOpaque::Pass);
    let layer = layer.unwrap().output(Output::Tokens(50)).stop_streams(true);
    let handle = layer.handle();
    let stack = ServiceBuilder::new()
        .layer(CallLayer::new())
        .layer(layer.estimator(Told::default()))
        .layer(MeterLayer::new())
        .service(service_fn(|_: Request<_>| async {
            Ok::<_, Infallible>(stream(CHAT.events(40)))
        }));
    let mut request = CHAT.request();
    let record = Record::of(request.extensions_mut());
    let answer = stack.oneshot(request).await.unwrap();
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    assert_eq!(read(text(&body)).len(), 1 + 10 + 2);
    assert!(is_settled(&record) && record.latest::<Stopped>().is_some());
    store.flush().await;
    let left = handle.left("rate", &[]).await.unwrap();
    assert_eq!(left.unwrap().remaining, 0);
}
