//! `cargo xtask bench`: every bench target of the workspace, arguments passed on.

use crate::cmd::{Result, cargo};
use crate::workspace::Workspace;

pub(crate) fn run(workspace: &Workspace, args: &[String]) -> Result {
    let benches = workspace.packages().flat_map(|package| {
        let targets = package.targets.iter().filter(|target| target.is("bench"));
        targets.map(move |target| (package, target))
    });
    for (package, target) in benches {
        let mut command = cargo(["bench", "-p", &package.name, "--bench", &target.name]);
        if !target.required_features.is_empty() {
            command = command.args(["--features", &target.required_features.join(",")]);
        }
        command.arg("--").args(args).run()?;
    }
    Ok(())
}
