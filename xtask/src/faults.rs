//! `cargo xtask faults`: which test keeps which known fault out.
//!
//! The faults stand in `faults.toml`, each with the module that it belongs to. A fault whose module
//! exists and that has no test, or names one that the runner does not know, fails the gate.

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;
use toml::Table;

use crate::cmd::{Result, cargo};
use crate::workspace::Workspace;

pub(crate) fn run(workspace: &Workspace) -> Result {
    let text = fs::read_to_string(workspace.root.join("xtask/faults.toml"))?;
    let faults: Table = text.parse()?;
    let faults = faults.get("fault").and_then(toml::Value::as_array);
    let faults = faults.ok_or("faults.toml has no fault")?;
    let known = known_tests()?;
    let mut missing = Vec::new();
    for fault in faults {
        let fault = Fault::read(fault)?;
        if !workspace.root.join(fault.module).exists() {
            println!("{:>3}  (not implemented yet)  {}", fault.number, fault.what);
            continue;
        }
        println!(
            "{:>3}  {}  {}",
            fault.number,
            fault.tests.join(", "),
            fault.what
        );
        if fault.tests.is_empty() {
            missing.push(format!(
                "fault {} has no test: {}",
                fault.number, fault.what
            ));
        }
        let unknown = fault.tests.iter().filter(|test| !known.contains(**test));
        missing.extend(unknown.map(|test| format!("fault {}: there is no {test}", fault.number)));
    }
    if missing.is_empty() {
        Ok(())
    } else {
        Err(missing.join("\n").into())
    }
}

struct Fault<'f> {
    number: i64,
    what: &'f str,
    module: &'f str,
    tests: Vec<&'f str>,
}

impl<'f> Fault<'f> {
    fn read(fault: &'f toml::Value) -> Result<Self> {
        let text = |key: &str| fault.get(key).and_then(toml::Value::as_str);
        let number = fault.get("number").and_then(toml::Value::as_integer);
        let tests = fault.get("tests").and_then(toml::Value::as_array);
        let tests = tests.into_iter().flatten().filter_map(toml::Value::as_str);
        match (number, text("what"), text("module")) {
            (Some(number), Some(what), Some(module)) => Ok(Self {
                number,
                what,
                module,
                tests: tests.collect(),
            }),
            _ => Err(format!("cannot read the fault {fault:?}").into()),
        }
    }
}

/// The names of all tests, ignored ones included, without their binaries.
fn known_tests() -> Result<BTreeSet<String>> {
    let scope = ["--workspace", "--all-features", "--message-format", "json"];
    let list = cargo(["nextest", "list", "--cargo-quiet"])
        .args(scope)
        .read()?;
    let list: Value = serde_json::from_str(&list)?;
    let suites = list.get("rust-suites").and_then(Value::as_object);
    let suites = suites.ok_or("the test runner lists no suite")?;
    let cases = suites
        .values()
        .filter_map(|suite| suite.get("testcases")?.as_object());
    Ok(cases.flat_map(|cases| cases.keys().cloned()).collect())
}
