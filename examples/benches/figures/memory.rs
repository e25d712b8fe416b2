//! What a gateway keeps resident for each stream that is open and silent.

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
};

const STREAMS: u64 = 10_000;

/// Files that are open besides: libraries, pipes, listeners.
const SPARE: u64 = 200;

pub(crate) fn run(_: &Options) -> Result {
    process::step_aside()?;
    // Here a caller and a provider for each stream, in the gateway a server and a client.
    let allowed = process::open_files(2 * STREAMS + SPARE)?;
    let streams = STREAMS.min(allowed.saturating_sub(SPARE) / 2);
    if streams < STREAMS {
        println!("  {allowed} open files are allowed: {streams} streams instead of {STREAMS}");
    }
    table::title(
        &format!("{streams} open streams"),
        "bytes resident a stream",
    );
    let runtime = runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    for kind in Kind::ALL {
        let held = task::LocalSet::new().block_on(&runtime, hold(kind, streams))?;
        let mut figures = Figures::default();
        figures.push(held / streams as f64);
        let ours = kind == Kind::Layers;
        let target = if ours {
            Target::AtMost(8192.0)
        } else {
            Target::None
        };
        table::row(kind.name(), &figures, target);
    }
    Ok(())
}

/// Opens streams through a gateway; answers how many bytes more it has resident than before.
async fn hold(kind: Kind, streams: u64) -> Result<f64> {
    let upstream = Upstream::start().await?;
    upstream.reply(Answer::Events(payload::events(3)), Pace::Silent);
    let gateway = Gateway::start(kind, upstream.address)?;
    let prompt = payload::prompt(2 << 10, true);
    let mut open = Vec::new();
    let idle = gateway.resident()?;
    for _ in 0..streams {
        let mut caller = Caller::connect(gateway.address).await?;
        let mut body = caller.send(prompt.clone()).await?.into_body();
        body.frame().await.ok_or("a stream ended at once")??;
        open.push((caller, body));
    }
    time::sleep(Duration::from_secs(1)).await;
    Ok(gateway.resident()? as f64 - idle as f64)
}
