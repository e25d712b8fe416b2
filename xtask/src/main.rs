//! The commands of this workspace, the same on a developer's machine and in CI.
//!
//! One file per verb; `cmd`, `workspace` and `gate` are what the verbs share. Whatever a verb
//! installs goes below the target directory, never on the reader's system.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a command-line tool prints, reads its environment and may block"
)]

mod audit;
mod bench;
mod clients;
mod cmd;
mod faults;
mod footprint;
mod fuzz;
mod gate;
mod package;
mod redis;
mod servers;
mod tally;
mod test;
mod workspace;

use std::process::ExitCode;

use crate::cmd::Result;
use crate::workspace::Workspace;

const USAGE: &str = "\
usage: cargo xtask <verb>

  test                       the gate: formats, lints, documents and tests everything
  faults                     which test keeps which known fault out
  footprint                  what each crate and feature pulls in, against its ceiling
  bench [PART…] [--rounds N] what the layers cost, or those parts of it: meter, instructions,
                             stack, latency, memory
  audit                      licences, unused dependencies, API breaks, minimal versions, wasm
  fuzz [N] [--seed S] [NAME] feeds N inputs to each parser, or to the one named: json-request,
                             form, answer, hide-usage, sse, hints
  package                    what would be published, packed and built";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match run(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &[String]) -> Result {
    let Some((verb, rest)) = args.split_first() else {
        return Err(USAGE.into());
    };
    if matches!(verb.as_str(), "help" | "--help" | "-h") {
        println!("{USAGE}");
        return Ok(());
    }
    let workspace = Workspace::read()?;
    std::env::set_current_dir(&workspace.root)?;
    match (verb.as_str(), rest) {
        ("test", []) => test::run(&workspace),
        ("faults", []) => faults::run(&workspace),
        ("footprint", []) => footprint::run(&workspace),
        ("bench", rest) => bench::run(&workspace, rest),
        ("audit", []) => audit::run(&workspace),
        ("fuzz", rest) => fuzz::run(rest),
        ("package", []) => package::run(&workspace),
        _ => Err(format!("cannot read `{}`\n\n{USAGE}", args.join(" ")).into()),
    }
}
