//! How fast the meter reads, in one thread and in memory.

use std::time::Instant;

use bytes::Bytes;

use crate::{
    Options, Result,
    payload::{self, Answer},
    table::{self, Figures, Target},
    workload,
};

const EVENTS: usize = 50_000;
const CHUNK: usize = 16 << 10;

pub(crate) fn run(options: &Options) -> Result {
    let events = payload::events(EVENTS);
    let plain = payload::prompt(2 << 10, true);
    let asking = workload::asking(plain.clone());
    table::title(
        &format!(
            "meter, events of {} bytes, one a chunk",
            payload::event().len()
        ),
        "ns an event",
    );
    let answer = Answer::Events(events.clone());
    let sides = measure(options, "/v1/chat/completions", &asking, &answer)?;
    let per_event = sides.map(|side| side.each(|reading| reading.nanos / EVENTS as f64));
    table::row("no meter", &per_event[0], Target::None);
    table::row("meter", &per_event[1], Target::AtMost(300.0));
    let sides = measure(options, "/v1/chat/completions", &plain, &answer)?;
    let per_event = sides[1].each(|reading| reading.nanos / EVENTS as f64);
    table::row("meter that hides the usage event", &per_event, Target::None);

    table::title("meter, chunks of 16 KiB", "GB/s");
    let stream = payload::rechunked(&events.concat().into(), CHUNK);
    let sides = measure(
        options,
        "/v1/chat/completions",
        &asking,
        &Answer::Events(stream),
    )?;
    rates("events", &sides);
    let vectors = payload::rechunked(&payload::embeddings(512), CHUNK);
    let prompt = Bytes::from_static(br#"{"model":"text-embedding-3-small","input":["a"]}"#);
    let sides = measure(
        options,
        "/v1/embeddings",
        &prompt,
        &Answer::Chunked(vectors),
    )?;
    rates("embeddings", &sides);
    Ok(())
}

fn rates(name: &str, [without, with]: &[Side; 2]) {
    let rate = |reading: &Reading| reading.bytes as f64 / reading.nanos;
    table::row(
        &format!("{name}, no meter"),
        &without.each(rate),
        Target::None,
    );
    table::row(
        &format!("{name}, meter"),
        &with.each(rate),
        Target::AtLeast(1.0),
    );
}

/// One reading of an answer.
struct Reading {
    nanos: f64,
    bytes: usize,
}

#[derive(Default)]
struct Side(Vec<Reading>);

impl Side {
    fn each(&self, of: impl Fn(&Reading) -> f64) -> Figures {
        let mut figures = Figures::default();
        self.0.iter().for_each(|reading| figures.push(of(reading)));
        figures
    }
}

/// Reads an answer without the layers and with them, in turns.
fn measure(options: &Options, path: &str, prompt: &Bytes, answer: &Answer) -> Result<[Side; 2]> {
    let (nothing, layers) = (
        workload::nothing(answer.clone()),
        workload::layers(answer.clone()),
    );
    let mut sides = [Side::default(), Side::default()];
    for _ in 0..options.rounds {
        let body = workload::open(&nothing, path, prompt.clone())?;
        sides[0].0.push(timed(|| workload::read(body))?);
        let body = workload::open(&layers, path, prompt.clone())?;
        sides[1].0.push(timed(|| workload::read(body))?);
    }
    Ok(sides)
}

fn timed(read: impl FnOnce() -> Result<usize>) -> Result<Reading> {
    let began = Instant::now();
    let bytes = read()?;
    let nanos = began.elapsed().as_nanos() as f64;
    Ok(Reading { nanos, bytes })
}
