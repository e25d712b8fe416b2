//! `cargo xtask bench`: every bench target of the workspace, or those named.

use crate::cmd::{Result, cargo};
use crate::workspace::Workspace;

pub(crate) fn run(workspace: &Workspace, args: &[String]) -> Result {
    let end = args
        .iter()
        .position(|arg| arg == "--")
        .unwrap_or(args.len());
    let (names, passed_on) = args.split_at(end);
    let benches = workspace.packages().flat_map(|package| {
        let targets = package.targets.iter().filter(|target| target.is("bench"));
        targets.map(move |target| (package, target))
    });
    let (mut known, mut ran) = (Vec::new(), 0_usize);
    for (package, target) in benches {
        known.push(target.name.as_str());
        if !names.is_empty() && !names.contains(&target.name) {
            continue;
        }
        ran += 1;
        let mut command = cargo(["bench", "-p", &package.name, "--bench", &target.name]);
        if !target.required_features.is_empty() {
            command = command.args(["--features", &target.required_features.join(",")]);
        }
        command.args(passed_on).run()?;
    }
    if ran == 0 {
        return Err(format!("no such bench; there are: {}", known.join(", ")).into());
    }
    Ok(())
}
