//! What a decision of a limit costs, and the memory that its keys take.

use std::{
    convert::Infallible,
    fs,
    future::{Ready, ready},
    hint::black_box,
    num::NonZeroU32,
    pin::pin,
    process::Command,
    task::{Context, Poll, Waker},
    thread,
    time::{Duration, Instant},
};

use aigw_core::{
    call::{CallBody, CallLayer},
    rt::SystemClock,
};
use aigw_policies::{
    budget::{Claim, Key, Limit, MemoryStore, Rate, Store, Verdict},
    request_limit::{self, RequestLimitLayer},
};
use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use http_body_util::Empty;
use tower::{Layer, Service, service_fn};

use crate::{
    Options, Result,
    table::{self, Figures, Target},
};

const CALLS: u32 = 200_000;

/// Keys of which the memory is measured.
const LIVE_KEYS: usize = 1_000_000;

pub(crate) fn run(options: &Options) -> Result {
    table::title("limit in memory, reserve and settle", "ns a call");
    for (name, budgets) in [("one budget", 1), ("three budgets", 3)] {
        let mut figures = Figures::default();
        for _ in 0..options.rounds {
            let store = MemoryStore::new();
            figures.push(calls(&store, budgets, "caller")?.as_nanos() as f64 / f64::from(CALLS));
        }
        let target = match budgets {
            1 => Target::AtMost(500.0),
            _ => Target::None,
        };
        table::row(name, &figures, target);
    }
    table::title(
        "the same on two threads, keys of their own",
        "times one thread",
    );
    let mut speedup = Figures::default();
    for _ in 0..options.rounds {
        let store = MemoryStore::new();
        let alone = calls(&store, 1, "alone")?;
        let began = Instant::now();
        thread::scope(|scope| {
            let callers = ["one", "two"].map(|key| {
                let store = &store;
                scope.spawn(move || calls(store, 1, key).map(drop).map_err(|e| e.to_string()))
            });
            callers
                .into_iter()
                .try_for_each(|caller| match caller.join() {
                    Ok(done) => done,
                    Err(_) => Err("a caller panicked".to_owned()),
                })
        })?;
        speedup.push(2.0 * alone.as_secs_f64() / began.elapsed().as_secs_f64());
    }
    table::row("two threads", &speedup, Target::AtLeast(1.7));

    table::title("request limit in memory", "ns a call");
    let mut figures: [Figures; 3] = Default::default();
    // In turns: the pace of a machine drifts.
    for _ in 0..options.rounds {
        for (run, figures) in [bare_governor, no_op, request_limited]
            .iter()
            .zip(&mut figures)
        {
            figures.push(run()?.as_nanos() as f64 / f64::from(CALLS));
        }
    }
    let names = [
        "bare governor, DashMap",
        "no-op service",
        "the same behind a request limit",
    ];
    for (name, figures) in names.iter().zip(&figures) {
        table::row(name, figures, Target::None);
    }

    table::title(&format!("{LIVE_KEYS} live keys"), "MB");
    let mut memory = Figures::default();
    let me = std::env::current_exe()?;
    let output = Command::new(me).arg("--live-keys").output()?;
    memory.push(String::from_utf8(output.stdout)?.trim().parse::<f64>()? / 1e6);
    table::row("memory store", &memory, Target::AtMost(150.0));
    Ok(())
}

/// Makes calls with a key; answers how long they took.
fn calls(store: &MemoryStore, budgets: usize, key: &str) -> Result<Duration> {
    let limit = limit()?;
    let names: Vec<_> = (0..budgets)
        .map(|budget| format!("budget-{budget}"))
        .collect();
    let began = Instant::now();
    for _ in 0..CALLS {
        let claims = names.iter().map(|name| Claim {
            key: Key::new(name, [Some(key)]),
            limit,
            amount: 1000,
        });
        match black_box(store.reserve_now(claims.collect())) {
            Verdict::Admitted(holds) => store.settle(holds, &[10, 10, 10]),
            verdict => return Err(format!("not admitted: {verdict:?}").into()),
        }
    }
    Ok(began.elapsed())
}

const REQUESTS: u32 = 1_000_000_000;

fn bare_governor() -> Result<Duration> {
    let burst = NonZeroU32::new(REQUESTS).ok_or("no requests")?;
    let limiter = governor::RateLimiter::dashmap(governor::Quota::per_second(burst));
    let key = "requests:=m".to_owned();
    let began = Instant::now();
    for _ in 0..CALLS {
        black_box(limiter.check_key(black_box(&key))).map_err(|_| "not admitted")?;
    }
    Ok(began.elapsed())
}

fn no_op() -> Result<Duration> {
    serve(answer())
}

fn request_limited() -> Result<Duration> {
    let rate = Rate::try_new(REQUESTS.into(), Duration::from_secs(1))?;
    let config = request_limit::Config::new(["model".parse()?], rate);
    serve(RequestLimitLayer::try_new(config)?.layer(answer()))
}

type Asked = CallBody<Empty<Bytes>>;
type Answered = std::result::Result<Response<Empty<Bytes>>, Infallible>;

/// A service that does nothing but answer.
fn answer() -> impl Service<
    Request<Asked>,
    Response = Response<Empty<Bytes>>,
    Error = Infallible,
    Future = Ready<Answered>,
> + Clone {
    service_fn(|_: Request<Asked>| ready(Ok(Response::new(Empty::new()))))
}

/// Asks over and over behind a [`CallLayer`], which reads a head alone.
fn serve<S, B>(service: S) -> Result<Duration>
where
    S: Service<Request<Asked>, Response = Response<B>, Error = Infallible> + Clone,
    B: Body<Data = Bytes>,
{
    let mut service = CallLayer::new().layer(service);
    let mut context = Context::from_waker(Waker::noop());
    let began = Instant::now();
    for _ in 0..CALLS {
        let request = Request::get("/v1/models").body(Empty::new())?;
        let mut future = pin!(service.call(request));
        match future.as_mut().poll(&mut context) {
            Poll::Ready(Ok(answer)) if answer.status().is_success() => drop(black_box(answer)),
            _ => return Err("not answered".into()),
        }
    }
    Ok(began.elapsed())
}

fn limit() -> Result<Limit> {
    Ok(Rate::try_new(1_000_000_000, Duration::from_secs(60))?.into())
}

/// Fills a store with keys that are in use, and prints by how many bytes the process has grown: a
/// process of its own, which has not had that memory before.
pub(crate) fn live_keys() -> Result {
    let store = MemoryStore::with_clock(SystemClock, 2 * LIVE_KEYS);
    let limit = limit()?;
    let before = resident()?;
    for key in 0..LIVE_KEYS {
        let claim = Claim {
            key: Key::new("rate", [Some(format!("consumer-{key}"))]),
            limit,
            amount: 1_000_000,
        };
        if let Verdict::Admitted(holds) = store.reserve_now(vec![claim]) {
            store.settle(holds, &[1_000_000]);
        }
    }
    let grown = resident()? - before;
    if store.keys() != LIVE_KEYS {
        return Err(format!("{} keys are kept", store.keys()).into());
    }
    println!("{grown}");
    Ok(())
}

fn resident() -> Result<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB"));
    Ok(kib.ok_or("/proc shows no VmRSS")?.parse::<u64>()? * 1024)
}
