//! `cargo xtask fuzz`: random inputs to core's parsers, on stable Rust.
//!
//! The driver is core's example `fuzz`; a failure prints the seed that repeats it. The gate feeds
//! the same inputs each time, so that it fails for a change and not by chance.

use std::time::SystemTime;

use crate::cmd::{Result, cargo};

/// The driver's targets, for whoever misspells one: building it takes longer than reading a word.
const TARGETS: [&str; 7] = [
    "json-request",
    "form",
    "answer",
    "hide-usage",
    "truncate",
    "sse",
    "hints",
];

const INPUTS: u64 = 1_000_000;

pub(crate) fn run(args: &[String]) -> Result {
    let (mut inputs, mut seed, mut target) = (INPUTS, None, None);
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        if arg == "--seed" {
            let value = args.next().ok_or("--seed needs a number")?;
            seed = Some(value.parse::<u64>()?);
        } else if let Ok(number) = arg.parse() {
            inputs = number;
        } else if TARGETS.contains(&arg.as_str()) {
            target = Some(arg);
        } else {
            return Err(format!("no parser `{arg}`; there are: {}", TARGETS.join(", ")).into());
        }
    }
    let seed = match seed {
        Some(seed) => seed,
        None => SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)?
            .as_secs(),
    };
    feed(inputs, seed, target.map(String::as_str))
}

/// The gate's share.
pub(crate) fn some() -> Result {
    feed(INPUTS, 0, None)
}

fn feed(inputs: u64, seed: u64, target: Option<&str>) -> Result {
    let example = ["run", "--release", "-p", "aigw-core", "--example", "fuzz"];
    let command = cargo(example).args(["--features", "test-util", "--"]);
    let (inputs, seed) = (inputs.to_string(), seed.to_string());
    command
        .args(["--inputs", &inputs, "--seed", &seed])
        .args(target)
        .run()
}
