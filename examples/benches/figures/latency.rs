//! What a gateway adds to the time until the first byte of an answer, for one caller at a low rate.

use std::time::Duration;

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

/// Calls of each side in one round.
const CALLS: usize = 300;

/// Between two calls.
const PAUSE: Duration = Duration::from_micros(500);

pub(crate) fn run(options: &Options) -> Result {
    process::step_aside()?;
    let runtime = runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    task::LocalSet::new().block_on(&runtime, measure(options))
}

/// What one side has shown, round by round.
struct Side {
    /// `None` goes to the provider directly.
    kind: Option<Kind>,
    caller: Caller,
    p50: Figures,
    p99: Figures,
    /// Held for the life of the side.
    _gateway: Option<Gateway>,
}

async fn measure(options: &Options) -> Result {
    let upstream = Upstream::start(Http::One).await?;
    upstream.reply(Answer::Events(payload::events(3)), Pace::Apart);
    let direct = Caller::connect(upstream.address, Http::One).await?;
    let mut sides = vec![Side::new(None, None, direct)];
    for kind in Kind::ALL {
        let gateway = Gateway::start(kind, Wire::HTTP1, upstream.address)?;
        let caller = Caller::connect(gateway.address, Http::One).await?;
        sides.push(Side::new(Some(kind), Some(gateway), caller));
    }
    let prompt = payload::prompt(2 << 10, true);
    for _ in 0..options.rounds {
        let mut figures = vec![Figures::default(); sides.len()];
        for _ in 0..CALLS {
            // In turns call by call, so that all of them meet the machine in the same mood.
            for (side, figures) in sides.iter_mut().zip(&mut figures) {
                time::sleep(PAUSE).await;
                let first = side.caller.call(prompt.clone()).await?;
                figures.push(first.as_secs_f64() * 1e6);
            }
        }
        for (side, figures) in sides.iter_mut().zip(&figures) {
            side.p50.push(figures.at(0.5));
            side.p99.push(figures.at(0.99));
        }
    }
    table::title("first byte, 2 KB prompt", "µs");
    for side in &sides {
        table::row(&format!("{}, p50", side.name()), &side.p50, Target::None);
        table::row(&format!("{}, p99", side.name()), &side.p99, Target::None);
    }
    table::title("first byte, added to direct", "µs");
    let [direct, gateways @ ..] = sides.as_slice() else {
        return Ok(());
    };
    for side in gateways {
        let (p50, p99) = match side.kind {
            Some(Kind::Layers) => (Target::AtMost(50.0), Target::AtMost(200.0)),
            _ => (Target::None, Target::None),
        };
        side.above(direct, p50, p99);
    }
    table::title("first byte, added to bare", "µs");
    let bare = gateways.iter().find(|side| side.kind == Some(Kind::Bare));
    for side in gateways {
        if let (Some(Kind::Layers | Kind::Full), Some(bare)) = (side.kind, bare) {
            side.above(bare, Target::None, Target::None);
        }
    }
    Ok(())
}

impl Side {
    fn new(kind: Option<Kind>, gateway: Option<Gateway>, caller: Caller) -> Self {
        Self {
            kind,
            caller,
            p50: Figures::default(),
            p99: Figures::default(),
            _gateway: gateway,
        }
    }

    fn name(&self) -> &'static str {
        self.kind.map_or("direct", Kind::name)
    }

    /// Prints by how much its times are above the other's, round by round.
    fn above(&self, other: &Self, p50: Target, p99: Target) {
        let name = self.name();
        table::row(&format!("{name}, p50"), &self.p50.above(&other.p50), p50);
        table::row(&format!("{name}, p99"), &self.p99.above(&other.p99), p99);
    }
}
