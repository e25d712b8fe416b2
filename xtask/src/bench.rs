//! `cargo xtask bench`: every bench target of the workspace, arguments passed on.

use crate::cmd::{Result, cargo};
use crate::redis::{self, Redis};
use crate::servers::Servers;
use crate::workspace::Workspace;

/// The parts that there are, for whoever misspells one: building them takes minutes.
const PARTS: [&str; 8] = [
    "meter",
    "limits",
    "redis",
    "instructions",
    "access",
    "stack",
    "latency",
    "memory",
];

pub(crate) fn run(workspace: &Workspace, args: &[String]) -> Result {
    let mut words = args.iter();
    while let Some(word) = words.next() {
        if word == "--rounds" {
            words.next();
        } else if !PARTS.contains(&word.as_str()) {
            return Err(format!("no part `{word}`; there are: {}", PARTS.join(", ")).into());
        }
    }
    let is_all = args.iter().all(|word| !PARTS.contains(&word.as_str()));
    let redis = if is_all || args.iter().any(|word| word == "redis") {
        let servers = Servers::provide(workspace)?;
        Some(Redis::provide(workspace, Some(&servers))?)
    } else {
        None
    };
    let benches = workspace.packages().flat_map(|package| {
        let targets = package.targets.iter().filter(|target| target.is("bench"));
        targets.map(move |target| (package, target))
    });
    for (package, target) in benches {
        let mut command = cargo(["bench", "-p", &package.name, "--bench", &target.name]);
        if !target.required_features.is_empty() {
            command = command.args(["--features", &target.required_features.join(",")]);
        }
        if let Some(redis) = &redis {
            command = command.env(redis::URL_VARIABLE, &redis.url);
        }
        command.arg("--").args(args).run()?;
    }
    Ok(())
}
