//! `cargo xtask test`: the gate. What passes here may be merged.

use std::ffi::OsString;

use crate::cmd::{Cmd, Result, Watch, cargo};
use crate::gate::Gate;
use crate::redis::Redis;
use crate::tally::Tally;
use crate::workspace::{Package, Workspace};
use crate::{clients, footprint, package};

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

    let redis = gate.step("provide Redis", |_| Redis::provide(workspace));
    let python = gate.step("provide Python SDKs", |_| clients::python(workspace));
    let node = gate.step("provide Node SDKs", |_| clients::node(workspace));
    let provided: Vec<(&str, OsString)> = [
        crate::redis::environment(redis.as_ref()),
        python.map(|path| (PYTHON_VARIABLE, path.into())),
        node.map(|path| (NODE_VARIABLE, path.into())),
    ]
    .into_iter()
    .flatten()
    .collect();

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
        let command = cargo([
            "test",
            "--doc",
            "--workspace",
            "--all-features",
            "--no-fail-fast",
        ]);
        counted(command, Watch::Stdout, tally)
    });
    drop(redis);
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

/// Does `work` for every library, also past a failure, and fails with the last failure.
fn each_library(workspace: &Workspace, mut work: impl FnMut(&str) -> Result) -> Result {
    let mut result = Ok(());
    for library in workspace.libraries() {
        result = work(&library.name).and(result);
    }
    result
}

/// Lints each library under each of its features, that one alone.
///
/// Libraries only: targets for tests would bring in what `dev-dependencies` turn on.
fn each_feature(workspace: &Workspace) -> Result {
    let alone = |library: &Package, feature: &str| {
        let scope = [
            "-p",
            &library.name,
            "--lib",
            "--no-default-features",
            "--features",
            feature,
        ];
        clippy(&scope).run()
    };
    let mut result = Ok(());
    for library in workspace.libraries() {
        result = clippy(&["-p", &library.name, "--lib", "--no-default-features"])
            .run()
            .and(result);
        for feature in library.optional_features() {
            result = alone(library, feature).and(result);
        }
    }
    result
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
