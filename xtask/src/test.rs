//! `cargo xtask test`: the gate. What passes here may be merged.

use std::ffi::OsString;

use crate::cmd::{Cmd, Result, Watch, cargo};
use crate::gate::Gate;
use crate::redis::{self, Redis};
use crate::servers::{self, Servers};
use crate::tally::Tally;
use crate::workspace::Workspace;
use crate::{clients, faults, footprint, fuzz, package};

/// Read by the end-to-end tests: the interpreter that has the Python SDKs.
const PYTHON_VARIABLE: &str = "AIGW_TEST_PYTHON";
/// Read by the end-to-end tests: the folder whose `node_modules` has the Node SDKs.
const NODE_VARIABLE: &str = "AIGW_TEST_NODE";

pub(crate) fn run(workspace: &Workspace) -> Result {
    let mut gate = Gate::start();

    gate.step("format", |_| cargo(["fmt", "--all", "--check"]).run());
    gate.step("lint, all features", |_| {
        let scope = ["--workspace", "--all-targets", "--all-features"];
        clippy(&scope).run()
    });
    gate.step("lint, no features", |_| {
        each_library(workspace, |name| {
            clippy(&["-p", name, "--all-targets", "--no-default-features"]).run()
        })
    });
    gate.step("lint, each feature alone", |_| each_feature(workspace));
    gate.step("docs", |_| docs());
    gate.step("footprint", |_| footprint::run(workspace));

    let servers = gate.step("provide servers", |_| Servers::provide(workspace));
    let redis = gate.step("provide Redis", |_| {
        Redis::provide(workspace, servers.as_ref())
    });
    let python = gate.step("provide Python SDKs", |_| clients::python(workspace));
    let node = gate.step("provide Node SDKs", |_| clients::node(workspace));
    let mut provided: Vec<(&str, OsString)> = vec![
        // What Python compiles is kept for its next start, and kept out of the source tree.
        ("PYTHONDONTWRITEBYTECODE", OsString::new()),
        (
            "PYTHONPYCACHEPREFIX",
            workspace.target.join("py/compiled").into(),
        ),
    ];
    provided.extend(
        redis
            .as_ref()
            .map(|redis| (redis::URL_VARIABLE, OsString::from(&redis.url))),
    );
    provided.extend(servers.map(|servers| (servers::DIR_VARIABLE, servers.dir.into())));
    provided.extend(python.map(|interpreter| (PYTHON_VARIABLE, interpreter.into())));
    provided.extend(node.map(|folder| (NODE_VARIABLE, folder.into())));

    gate.step("examples", |_| {
        cargo([
            "build",
            "--workspace",
            "--all-features",
            "--bins",
            "--examples",
        ])
        .run()
    });
    gate.step("known faults", |_| faults::run(workspace));
    gate.step("tests, all features", |tally| {
        // A test that needs what was provided is marked `ignored`, and this is where it runs.
        let run = ["--workspace", "--all-features", "--run-ignored", "all"];
        let command = provided
            .iter()
            .fold(nextest(&run), |cmd, (name, value)| cmd.env(name, value));
        counted(command, Watch::Stderr, tally)
    });
    gate.step("tests, no features", |tally| {
        each_library(workspace, |name| {
            let run = ["-p", name, "--no-default-features", "--no-tests", "pass"];
            counted(nextest(&run), Watch::Stderr, tally)
        })
    });
    gate.step("doctests", |tally| {
        let scope = ["test", "--doc", "--quiet", "--workspace", "--all-features"];
        let command = cargo(scope).arg("--no-fail-fast");
        counted(command, Watch::Stdout, tally)
    });
    drop(redis);
    gate.step("fuzz", |_| fuzz::some());
    gate.step("package", |_| package::run(workspace));

    gate.finish()
}

fn clippy(scope: &[&str]) -> Cmd {
    cargo(["clippy", "--quiet"])
        .args(scope)
        .args(["--", "-D", "warnings"])
}

fn nextest(scope: &[&str]) -> Cmd {
    cargo(["nextest", "run", "--color", "never", "--cargo-quiet"]).args(scope)
}

/// Runs a test command and adds what its closing lines count.
fn counted(command: Cmd, stream: Watch, tally: &mut Tally) -> Result {
    command.watch(stream, |line| {
        if let Some(run) = Tally::from_closing_line(line) {
            *tally += run;
        }
    })
}

/// Does `work` for every library, also past a failure, and names those where it failed.
fn each_library(workspace: &Workspace, mut work: impl FnMut(&str) -> Result) -> Result {
    let libraries = workspace.libraries().map(|library| library.name.as_str());
    all(libraries.map(|name| (name.to_owned(), work(name))))
}

/// Lints each library without features and under each of its features, that one alone.
///
/// Libraries only: targets for tests would bring in what `dev-dependencies` turn on.
fn each_feature(workspace: &Workspace) -> Result {
    all(workspace.libraries().flat_map(|library| {
        let features = std::iter::once("").chain(library.optional_features());
        features.map(|feature| {
            let scope = ["-p", &library.name, "--lib", "--no-default-features"];
            let result = clippy(&[&scope[..], &["--features", feature]].concat()).run();
            (format!("{} with [{feature}]", library.name), result)
        })
    }))
}

fn all(results: impl Iterator<Item = (String, Result)>) -> Result {
    let failed = results.filter(|(_, result)| result.is_err());
    let failed: Vec<String> = failed.map(|(name, _)| name).collect();
    if failed.is_empty() {
        Ok(())
    } else {
        Err(failed.join(", ").into())
    }
}

/// Once as published, where a link to a private item is an error, and once as its authors read it.
fn docs() -> Result {
    let doc = || {
        let scope = [
            "doc",
            "--quiet",
            "--no-deps",
            "--workspace",
            "--all-features",
        ];
        cargo(scope).env("RUSTDOCFLAGS", "-D warnings")
    };
    doc().run()?;
    doc().arg("--document-private-items").run()
}
