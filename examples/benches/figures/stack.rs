//! Processor time of a gateway for each call, over TCP.

use std::time::Duration;

use bytes::Bytes;
use tokio::{runtime, task};

use crate::{
    Options, Result,
    gateway::Kind,
    load::{self, Caller},
    payload::{self, Answer},
    process::{self, Gateway},
    table::{self, Figures, Target},
    upstream::{Pace, Upstream},
    wire::{Http, Wire},
};

struct Case {
    name: &'static str,
    prompts: Vec<Bytes>,
    answer: Answer,
    pace: Pace,
    /// The most that call and meter may take of the bare gateway's time.
    layers: f64,
    /// The most that limits may, with an estimate and with a count that changes nothing.
    limits: Option<[f64; 2]>,
}

/// How long a gateway is under load at a time. Short, because the pace of a machine drifts within
/// seconds, and those who are compared must meet the same.
const PERIOD: Duration = Duration::from_millis(200);

/// How often in a round each gateway has its turn.
const TURNS: usize = 5;

/// How many callers there are at once.
const CALLERS: usize = 8;

pub(crate) fn run(options: &Options) -> Result {
    process::step_aside()?;
    let runtime = runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    task::LocalSet::new().block_on(&runtime, measure(options))
}

fn cases() -> [Case; 4] {
    let whole = || Answer::Whole(payload::completion());
    let stream = || Answer::Events(payload::events(200));
    let case = |name, prompts, answer, pace, layers, limits| Case {
        name,
        prompts,
        answer,
        pace,
        layers,
        limits,
    };
    let (short, long) = (
        payload::prompts(2 << 10, false),
        payload::prompts(32 << 10, false),
    );
    let limits = Some([1.25, 1.5]);
    let streamed = payload::prompts(2 << 10, true);
    [
        case("2 KB prompt", short, whole(), Pace::AtOnce, 1.15, limits),
        case("32 KB prompt", long, whole(), Pace::AtOnce, 1.25, limits),
        case(
            "200 chunks, apart",
            streamed.clone(),
            stream(),
            Pace::Apart,
            1.1,
            None,
        ),
        case(
            "200 chunks, at once",
            streamed,
            stream(),
            Pace::AtOnce,
            1.1,
            None,
        ),
    ]
}

async fn measure(options: &Options) -> Result {
    // Callers and provider never sleep. Else the faster a gateway is, the less often it wakes them,
    // which costs it more than most of its layers.
    let awake = task::spawn_local(async {
        loop {
            task::yield_now().await;
        }
    });
    let upstream = Upstream::start(Http::One).await?;
    for case in cases() {
        upstream.reply(case.answer.clone(), case.pace);
        let mut sides = Vec::new();
        for kind in Kind::ALL {
            let gateway = Gateway::start(kind, Wire::HTTP1, upstream.address)?;
            let mut callers = Vec::new();
            for _ in 0..CALLERS {
                callers.push(Caller::connect(gateway.address, Http::One).await?);
            }
            let (callers, _) = load::drive(callers, &case.prompts, PERIOD).await?;
            sides.push((kind, gateway, callers, Figures::default()));
        }
        for _ in 0..options.rounds * TURNS {
            for (_, gateway, callers, figures) in &mut sides {
                let before = gateway.cpu()?;
                let (idle, calls) =
                    load::drive(std::mem::take(callers), &case.prompts, PERIOD).await?;
                *callers = idle;
                figures.push((gateway.cpu()? - before).as_secs_f64() * 1e6 / calls as f64);
            }
        }
        let of = |wanted| {
            let side = sides.iter().find(|(kind, ..)| *kind == wanted);
            side.map(|(.., figures)| figures.clone())
                .unwrap_or_default()
        };
        table::title(case.name, "µs of processor time a call");
        for (kind, .., figures) in &sides {
            table::row(kind.name(), figures, Target::None);
        }
        let [raw, bare, layers, full, limited, exact] = Kind::ALL.map(of);
        table::row(
            "layers : bare",
            &layers.over(&bare),
            Target::AtMost(case.layers),
        );
        table::row("layers : raw", &layers.over(&raw), Target::None);
        table::row("full : bare", &full.over(&bare), Target::None);
        let [fast_target, exact_target] = case
            .limits
            .map_or([Target::None; 2], |limits| limits.map(Target::AtMost));
        table::row("limited : bare", &limited.over(&bare), fast_target);
        table::row("exact : bare", &exact.over(&bare), exact_target);
    }
    awake.abort();
    Ok(())
}
