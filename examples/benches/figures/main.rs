//! What the layers cost, each figure beside its baseline of the same run.
//!
//! `cargo xtask bench` runs all of it, `cargo xtask bench stack latency` two parts. `--rounds N`
//! changes how often the two of a pair take turns (5 by default). The figures of a machine that is
//! busy with something else are worth little; the instruction counts are the exception.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::indexing_slicing,
    reason = "a bench prints, and stops at what it cannot measure"
)]

mod access;
mod gateway;
mod instructions;
mod latency;
mod limits;
mod limits_in_redis;
mod load;
mod memory;
mod meter;
mod payload;
mod process;
mod stack;
mod table;
mod upstream;
mod wire;
mod workload;

use std::{error::Error, process::ExitCode};

type Result<T = ()> = std::result::Result<T, Box<dyn Error>>;

/// A part: its name and what it runs.
type Part = (&'static str, fn(&Options) -> Result);

const PARTS: [Part; 8] = [
    ("meter", meter::run),
    ("limits", limits::run),
    ("redis", limits_in_redis::run),
    ("instructions", instructions::run),
    ("access", access::run),
    ("stack", stack::run),
    ("latency", latency::run),
    ("memory", memory::run),
];

/// What the command line says.
struct Options {
    /// How often the two of a pair take turns.
    rounds: usize,
}

fn main() -> ExitCode {
    // Cargo adds `--bench` to the arguments of every bench.
    let args = std::env::args().skip(1).filter(|arg| arg != "--bench");
    match run(&args.collect::<Vec<_>>()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &[String]) -> Result {
    let words: Vec<_> = args.iter().map(String::as_str).collect();
    match words.as_slice() {
        // The parts of the program that run in processes of their own.
        ["--gateway", kind, wire, upstream] => {
            return gateway::serve(kind.parse()?, wire.parse()?, upstream.parse()?);
        }
        ["--live-keys"] => return limits::live_keys(),
        ["--workload", name, times] => return workload::run(name.parse()?, times.parse()?),
        _ => {}
    }
    let mut options = Options { rounds: 5 };
    let mut parts = Vec::new();
    let mut words = words.into_iter();
    while let Some(word) = words.next() {
        if word == "--rounds" {
            options.rounds = words.next().unwrap_or_default().parse()?;
        } else {
            let part = PARTS.iter().find(|(name, _)| *name == word);
            parts.push(part.ok_or_else(|| {
                let names = PARTS.map(|(name, _)| name).join(", ");
                format!("no part `{word}`; there are: {names}")
            })?);
        }
    }
    if parts.is_empty() {
        parts.extend(&PARTS);
    }
    for (_, part) in parts {
        part(&options)?;
    }
    Ok(())
}
