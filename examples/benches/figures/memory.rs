//! What a gateway keeps resident for each stream that is open and silent.
//!
//! Over HTTP/1.1 a stream takes two connections, each with buffers of hyper's own, which are above
//! the target before a layer has done anything: see the rows `raw` and `bare`. Over HTTP/2, which is
//! how so many streams are held, it takes none.

use std::time::Duration;

use http_body_util::BodyExt;
use tokio::{runtime, task, time};

use crate::{
    Options, Result,
    gateway::Kind,
    load::Caller,
    payload::{self, Answer},
    process::{self, Gateway},
    table::{self, Figures, Target},
    upstream::{Pace, Upstream},
    wire::{Http, Wire},
};

const STREAMS: u64 = 10_000;

/// Streams of a caller's HTTP/2 connection: what servers commonly allow, and half of what hyper
/// does.
const SHARING: u64 = 100;

/// Files that are open besides: libraries, pipes, listeners.
const SPARE: u64 = 200;

/// What a stream may take.
const TARGET: f64 = 8192.0;

pub(crate) fn run(_: &Options) -> Result {
    process::step_aside()?;
    let most = Wire::ALL.map(sockets).into_iter().max().unwrap_or_default();
    let allowed = process::open_files(most * STREAMS + SPARE)?;
    for wire in Wire::ALL {
        let each = sockets(wire);
        let streams = match each {
            0 => STREAMS,
            _ => STREAMS.min(allowed.saturating_sub(SPARE) / each),
        };
        if streams < STREAMS {
            println!("  {allowed} open files are allowed: {streams} streams instead of {STREAMS}");
        }
        table::title(
            &format!("{streams} open streams, {}", wire.name()),
            "bytes resident a stream",
        );
        for kind in Kind::ALL {
            let runtime = runtime::Builder::new_current_thread()
                .enable_all()
                .build()?;
            let held = task::LocalSet::new().block_on(&runtime, hold(kind, wire, streams))?;
            let mut figures = Figures::default();
            figures.push(held / streams as f64);
            table::row(kind.name(), &figures, target(kind, wire));
        }
    }
    Ok(())
}

/// How many sockets a stream has of its own, in this process and likewise in the gateway.
fn sockets(wire: Wire) -> u64 {
    [wire.callers, wire.provider]
        .iter()
        .map(|http| u64::from(*http == Http::One))
        .sum()
}

/// Where hyper alone is above the target, a layer cannot meet it.
fn target(kind: Kind, wire: Wire) -> Target {
    if kind == Kind::Layers && wire == Wire::HTTP2 {
        Target::AtMost(TARGET)
    } else {
        Target::None
    }
}

/// Opens streams through a gateway; answers how many bytes more it has resident than before.
async fn hold(kind: Kind, wire: Wire, streams: u64) -> Result<f64> {
    let upstream = Upstream::start(wire.provider).await?;
    upstream.reply(Answer::Events(payload::events(3)), Pace::Silent);
    let gateway = Gateway::start(kind, wire, upstream.address)?;
    let prompt = payload::prompt(2 << 10, true);
    let mut open: Vec<(Caller, _)> = Vec::new();
    let idle = gateway.resident()?;
    for stream in 0..streams {
        let last = open.last().filter(|_| stream % SHARING != 0);
        let mut caller = match last.and_then(|(caller, _)| caller.beside()) {
            Some(caller) => caller,
            None => Caller::connect(gateway.address, wire.callers).await?,
        };
        let mut body = caller.send(prompt.clone()).await?.into_body();
        body.frame().await.ok_or("a stream ended at once")??;
        open.push((caller, body));
    }
    time::sleep(Duration::from_secs(1)).await;
    Ok(gateway.resident()? as f64 - idle as f64)
}
