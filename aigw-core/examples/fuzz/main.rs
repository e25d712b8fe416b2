//! Fuzzes the parsers in this process: mutations of known inputs, the same for the same seed.
//!
//! ```text
//! cargo run --release -p aigw-core --features test-util --example fuzz -- \
//!     [--inputs N] [--seed S] [target]…
//! ```
//!
//! Each input is checked against what must hold: nothing panics, requests are accepted where
//! `serde_json` accepts them, and an answer in pieces is the answer as a whole. A failure prints the
//! input, and the seed and number that make it again.

#![expect(clippy::print_stdout, reason = "a program")]

mod mutate;
mod targets;

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    process::ExitCode,
    sync::atomic::{AtomicU64, Ordering},
    time::Instant,
};

use mutate::{Random, mutate};
use targets::{TARGETS, Target};

/// Inputs for each target unless said otherwise.
const INPUTS: u64 = 1_000_000;

/// Failures that are printed before a target is given up.
const FAILURES: u64 = 5;

fn main() -> ExitCode {
    let (mut inputs, mut seed, mut names) = (INPUTS, 1, Vec::new());
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let mut number = || {
            words
                .next()
                .and_then(|word| word.replace('_', "").parse().ok())
        };
        match (
            word.as_str(),
            TARGETS.iter().any(|target| target.name == word),
        ) {
            ("--inputs", _) => inputs = number().unwrap_or(inputs),
            ("--seed", _) => seed = number().unwrap_or(seed),
            (_, true) => names.push(word),
            _ => {
                println!("unknown: {word}");
                return ExitCode::FAILURE;
            }
        }
    }
    // Panics are what is looked for: they are told as failures.
    std::panic::set_hook(Box::new(|_| {}));
    let chosen = TARGETS
        .iter()
        .filter(|target| names.is_empty() || names.iter().any(|name| name == target.name));
    let failed: u64 = chosen.map(|target| fuzz(target, inputs, seed)).sum();
    ExitCode::from(u8::from(failed > 0))
}

/// Runs a target on all cores; answers how many inputs failed.
fn fuzz(target: &Target, inputs: u64, seed: u64) -> u64 {
    let (next, failed) = (AtomicU64::new(0), AtomicU64::new(0));
    let seeds = (target.seeds)();
    let start = Instant::now();
    let work = || {
        let mut input = Vec::new();
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= inputs || failed.load(Ordering::Relaxed) >= FAILURES {
                return;
            }
            // A generator for each input: any failure is made again by its number alone.
            let mut random = Random::new(seed ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
            mutate(&mut input, &seeds, &mut random);
            let checked = catch_unwind(AssertUnwindSafe(|| (target.check)(&input, &mut random)));
            if let Err(why) = checked {
                failed.fetch_add(1, Ordering::Relaxed);
                let text = why.downcast_ref::<String>().map(String::as_str);
                let why = text
                    .or_else(|| why.downcast_ref::<&str>().copied())
                    .unwrap_or("panic");
                println!(
                    "{}: {why}\n  --seed {seed}, input {number}: b\"{}\"",
                    target.name,
                    input.escape_ascii()
                );
            }
        }
    };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(work);
        }
    });
    let seconds = start.elapsed().as_secs_f64();
    let failed = failed.into_inner();
    let rate = inputs as f64 / seconds;
    println!(
        "{:13} {inputs} inputs, {failed} failed, {seconds:.1} s, {rate:.0}/s",
        target.name
    );
    failed
}
