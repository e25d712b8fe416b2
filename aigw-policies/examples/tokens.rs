//! What estimating and counting prompts costs on this machine.
//!
//! ```text
//! cargo run --release -p aigw-policies --features tiktoken --example tokens
//! ```
//!
//! Each figure is the best of several rounds, for what else runs here only adds. *Counted* forgets
//! what it has counted, *remembered* does not.

#![expect(clippy::print_stdout, reason = "a program")]

use std::{
    hint::black_box,
    iter::once,
    sync::Arc,
    time::{Duration, Instant},
};

use aigw_core::{
    call::{Call, Record},
    dialect::Target,
};
use aigw_policies::tokens::{Counting, Estimator, Exact};
use http::{HeaderMap, Method, Uri};
use serde_json::json;

/// How often each thing is timed, and for how long.
const ROUNDS: usize = 7;
const ROUND: Duration = Duration::from_millis(30);

fn main() {
    let start = Instant::now();
    let (counts, remembers) = (Exact::new().memo(0), Exact::new());
    assert!(counts.load("gpt-4o") && remembers.load("gpt-4o"));
    println!("o200k_base loaded in {:?}\n", start.elapsed());

    println!(
        "{:<40} {:>9} {:>12} {:>12} {:>12}",
        "prompt", "tokens", "estimated", "counted", "remembered"
    );
    let prose = include_str!("../tests/tokens/texts/english.txt");
    let code = include_str!("../tests/tokens/texts/code.txt");
    for (name, messages) in [
        ("2 KB of prose in 4 messages", parts(prose, 500, 4)),
        ("32 KB of prose in 32 messages", parts(prose, 1000, 32)),
        ("32 KB of code in 32 messages", parts(code, 1000, 32)),
        ("1 MB of prose in one", parts(prose, 1 << 20, 1)),
        ("100 KB of one letter", vec!["a".repeat(100_000)]),
        (
            "100 KB of one letter with an accent",
            vec!["é".repeat(50_000)],
        ),
        ("100 KB of blanks", vec![" ".repeat(100_000)]),
        ("100 KB of exclamation marks", vec!["!".repeat(100_000)]),
        ("100 KB of letters without blanks", vec![letters(100_000)]),
    ] {
        let call = chat(&messages);
        println!(
            "{name:<40} {:>9} {:>12.1?} {:>12.1?} {:>12.1?}",
            tokens(&remembers, &call),
            best(|| counts.estimate(&call).tokens()),
            best(|| tokens(&counts, &call)),
            best(|| tokens(&remembers, &call)),
        );
    }

    let conversation = parts(prose, 1000, 32);
    // Each time with another message that nobody has seen.
    let mut turn = 0;
    let longer = (0..ROUNDS * 10).map(|_| {
        turn += 1;
        let new = format!("{turn}: {}", parts(code, 1000, 1).concat());
        let call = chat(
            &conversation
                .iter()
                .cloned()
                .chain(once(new))
                .collect::<Vec<_>>(),
        );
        let start = Instant::now();
        black_box(tokens(&remembers, &call));
        start.elapsed()
    });
    let longer = longer.min().unwrap_or_default();
    println!("\n32 KB of prose, remembered, and 1 KB that is new: {longer:.1?}");
}

/// So many texts of so many bytes, all different.
fn parts(text: &str, bytes: usize, number: usize) -> Vec<String> {
    let letters: Vec<_> = text
        .chars()
        .filter(char::is_ascii)
        .cycle()
        .take(bytes * number)
        .collect();
    letters
        .chunks(bytes)
        .map(|part| part.iter().collect())
        .collect()
}

/// Letters that look like chance, and are the same each time.
fn letters(number: u32) -> String {
    let letter = |place: u32| b'a' + (place.wrapping_mul(2_654_435_761) >> 13) as u8 % 26;
    (0..number).map(|place| char::from(letter(place))).collect()
}

fn chat(messages: &[String]) -> Arc<Call> {
    let messages: Vec<_> = messages
        .iter()
        .map(|text| json!({"role": "user", "content": text}))
        .collect();
    let body = json!({"model": "gpt-4o", "messages": messages}).to_string();
    let path = Uri::from_static("/v1/chat/completions");
    let target = Target::recognize(&Method::POST, &path, &HeaderMap::new());
    match Call::parse(target, body.into(), Arc::new(Record::default())) {
        Ok(call) => Arc::new(call),
        Err(_) => unreachable!("it is a chat"),
    }
}

fn tokens(exact: &Exact, call: &Arc<Call>) -> u64 {
    match exact.count(call) {
        Counting::Counted(count) => count.tokens,
        Counting::Long(work) => work.run().tokens,
        _ => 0,
    }
}

/// The least time that it takes.
fn best(work: impl Fn() -> u64) -> Duration {
    let round = |_| {
        let (start, mut times) = (Instant::now(), 0);
        while start.elapsed() < ROUND {
            black_box(work());
            times += 1;
        }
        start.elapsed() / times
    };
    (0..ROUNDS).map(round).min().unwrap_or_default()
}
