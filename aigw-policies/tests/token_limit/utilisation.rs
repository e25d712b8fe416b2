//! How much of a limit is used where callers allow themselves far longer answers than they get: the
//! lengths of prompts and answers are those of a recorded service.

use std::{
    convert::Infallible,
    sync::{Arc, Mutex},
    time::Duration,
};

use aigw_core::{call::CallLayer, meter::MeterLayer, rt::Tokio};
use aigw_policies::{
    budget::MemoryStore,
    token_limit::{Budget, OnOpaque, Output, TokenLimitLayer},
};
use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full};
use tokio::time::{Instant, sleep};
use tower::{ServiceBuilder, ServiceExt, service_fn};

use crate::house::{Told, per_minute, request, usage};

/// Tokens of the prompt and of the answer.
fn recorded() -> Vec<(u64, u64)> {
    let rows = include_str!("lengths.csv").lines();
    rows.filter(|row| !row.starts_with('#'))
        .map(|row| {
            let (prompt, answer) = row.split_once(',').unwrap();
            (prompt.parse().unwrap(), answer.parse().unwrap())
        })
        .collect()
}

const A_MINUTE: u64 = 60_000;
const MINUTES: u64 = 60;
const CLIENTS: usize = 40;

/// How long a token takes.
const PACE: Duration = Duration::from_millis(20);

/// What one who knew how long each answer will be would have left.
struct Oracle {
    left: f64,
    at: Instant,
}

impl Oracle {
    fn left(&mut self) -> &mut f64 {
        let now = Instant::now();
        let flown = (now - self.at).as_secs_f64() * A_MINUTE as f64 / 60.0;
        self.left = (self.left + flown).min(A_MINUTE as f64);
        self.at = now;
        &mut self.left
    }
}

#[derive(Debug, Default)]
struct Seen {
    used: u64,
    admitted: u64,
    /// Calls that were refused when they were first tried.
    refused: u64,
    /// Those of the refused that the oracle would have let in.
    too_careful: u64,
}

/// Has clients use a limit for an hour, with a pause of this length behind each answer, on average.
async fn hour(output: Output, pause: Duration) -> Seen {
    let store = MemoryStore::with_clock(Tokio, 100);
    let budget = Budget::new("rate", per_minute(A_MINUTE));
    let limit = TokenLimitLayer::try_new([budget], store, OnOpaque::Pass)
        .unwrap()
        .output(output)
        .estimator(Told::default());
    let stack = ServiceBuilder::new()
        .layer(CallLayer::new())
        .layer(limit)
        .layer(MeterLayer::new())
        .service(service_fn(async |request: Request<_>| {
            let lengths = request.extensions().get::<(u64, u64)>();
            let (prompt, answer) = *lengths.unwrap();
            sleep(PACE * answer as u32).await;
            Ok::<_, Infallible>(usage(prompt, answer))
        }));
    let oracle = Arc::new(Mutex::new(Oracle {
        left: A_MINUTE as f64,
        at: Instant::now(),
    }));
    let seen = Arc::<Mutex<Seen>>::default();
    let rows: Arc<[_]> = recorded().into();
    let end = Instant::now() + Duration::from_secs(60 * MINUTES);
    let mut clients = tokio::task::JoinSet::new();
    for client in 0..CLIENTS {
        let (stack, oracle, seen, rows) =
            (stack.clone(), oracle.clone(), seen.clone(), rows.clone());
        clients.spawn(async move {
            // Each begins elsewhere in the record, and goes through all of it.
            let mut turns = rows.iter().cycle().skip(client * rows.len() / CLIENTS);
            let mut lengths = *turns.next().unwrap();
            let mut chance = client as u64;
            let mut is_first = true;
            while Instant::now() < end {
                let (prompt, answer) = lengths;
                let answered = stack.clone().oneshot(ask(lengths));
                let answered = answered.await.unwrap();
                let fits = *oracle.lock().unwrap().left() >= (prompt + answer) as f64;
                if answered.status() != 200 {
                    if std::mem::take(&mut is_first) {
                        let mut seen = seen.lock().unwrap();
                        seen.refused += 1;
                        seen.too_careful += u64::from(fits);
                    }
                    let wait = answered.headers()["retry-after-ms"].to_str().unwrap();
                    sleep(Duration::from_millis(wait.parse().unwrap())).await;
                    continue;
                }
                *oracle.lock().unwrap().left() -= (prompt + answer) as f64;
                answered.into_body().collect().await.unwrap();
                {
                    let mut seen = seen.lock().unwrap();
                    seen.admitted += 1;
                    seen.used += prompt + answer;
                }
                lengths = *turns.next().unwrap();
                is_first = true;
                chance = chance
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1);
                sleep(pause * ((chance >> 33) % 200) as u32 / 100).await;
            }
        });
    }
    clients.join_all().await;
    Arc::into_inner(seen).unwrap().into_inner().unwrap()
}

/// Asks with a prompt of that length, and lets the answer be far longer than it will be.
fn ask((prompt, answer): (u64, u64)) -> Request<Full<Bytes>> {
    let mut request = request(&format!(
        r#"{{"model":"m","user":"{prompt}","max_tokens":4096,"messages":[]}}"#
    ));
    request.extensions_mut().insert((prompt, answer));
    request
}

#[tokio::test(start_paused = true)]
async fn most_of_a_limit_is_used_and_never_more() {
    // They ask for about as much as there is, and for many times as much.
    for pause in [52, 0].map(Duration::from_secs) {
        let seen = hour(Output::Learned, pause).await;
        let used = seen.used as f64 / (A_MINUTE * MINUTES) as f64;
        let too_careful = seen.too_careful as f64 / seen.admitted as f64;
        println!("{pause:?}: {used:.3} used, {too_careful:.3} refused without need; {seen:?}");
        assert!(used >= 0.85, "{used}");
        assert!(seen.used <= A_MINUTE * (MINUTES + 1), "{seen:?}");
        // Where all have to wait, somebody else has what was not given.
        assert!(too_careful <= 0.05 || pause.is_zero(), "{too_careful}");
    }
}
