//! `cargo xtask package`: packs and builds each published crate from nothing but its package.

use crate::cmd::{Result, cargo};
use crate::workspace::Workspace;

pub(crate) fn run(workspace: &Workspace) -> Result {
    let mut command = cargo(["package", "--quiet", "--workspace"]);
    for package in workspace.packages().filter(|package| !package.published) {
        command = command.args(["--exclude", &package.name]);
    }
    // Work in progress may be packed; CI has a clean clone, and a step that dirtied it shows here.
    if std::env::var_os("CI").is_none() {
        command = command.arg("--allow-dirty");
    }
    command.run()
}
