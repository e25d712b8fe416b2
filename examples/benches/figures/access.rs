//! What it costs to tell a caller by its key, in one thread and in memory.

use std::{convert::Infallible, future::Ready, hint, pin::pin, task, time::Instant};

use aigw_policies::access::{AuthenticateLayer, Config, ConsumerConfig};
use http::{Request, Response};
use tower::{Layer, Service, service_fn};

use crate::{
    Options, Result,
    table::{self, Figures, Target},
};

const CALLS: usize = 100_000;

/// As long as OpenAI's are.
const KEY: &str =
    "sk-proj-abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxyz0123456789";

pub(crate) fn run(options: &Options) -> Result {
    let bare = service_fn(answer);
    let few = AuthenticateLayer::try_new(consumers(1))?.layer(service_fn(answer));
    let many = AuthenticateLayer::try_new(consumers(100_000))?.layer(service_fn(answer));
    let (right, wrong) = (format!("Bearer {KEY}"), format!("Bearer {KEY}0"));
    let mut figures: [Figures; 4] = Default::default();
    for _ in 0..options.rounds {
        figures[0].push(nanos(&bare, &right)?);
        figures[1].push(nanos(&few, &right)?);
        figures[2].push(nanos(&many, &right)?);
        figures[3].push(nanos(&many, &wrong)?);
    }
    table::title("access, with the request and its record", "ns a call");
    table::row("no layer", &figures[0], Target::None);
    for (name, with, target) in [
        (
            "one consumer, above that",
            &figures[1],
            Target::AtMost(1000.0),
        ),
        ("100,000 consumers", &figures[2], Target::AtMost(1500.0)),
        ("a key that nobody holds", &figures[3], Target::None),
    ] {
        table::row(name, &with.above(&figures[0]), target);
    }
    Ok(())
}

fn consumers(count: usize) -> Config {
    let first = ConsumerConfig::new("team").key(KEY).label("tier", "gold");
    (1..count).fold(Config::default().consumer(first), |config, index| {
        config.consumer(ConsumerConfig::new(format!("team-{index}")).key(format!("{KEY}-{index}")))
    })
}

fn answer(_: Request<()>) -> Ready<std::result::Result<Response<String>, Infallible>> {
    std::future::ready(Ok(Response::new(String::new())))
}

/// The mean over many calls with this key, each of which finds a record as `CallLayer` would.
fn nanos<S>(service: &S, key: &str) -> Result<f64>
where
    S: Service<Request<()>, Error = Infallible> + Clone,
{
    let key = http::HeaderValue::from_str(key)?;
    let mut service = service.clone();
    let mut cx = task::Context::from_waker(task::Waker::noop());
    let began = Instant::now();
    for _ in 0..CALLS {
        let request = Request::post("/v1/chat/completions").header("authorization", &key);
        let mut request = request.body(())?;
        aigw_core::call::Record::of(request.extensions_mut());
        let answer = pin!(service.call(request)).poll(&mut cx);
        hint::black_box(answer.is_ready());
    }
    Ok(began.elapsed().as_nanos() as f64 / CALLS as f64)
}
