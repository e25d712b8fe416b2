//! The vendors' own SDKs that the end-to-end tests drive, installed below the target directory.
//!
//! Versions are pinned in `examples/tests/clients/`. A stamp beside each installation holds the
//! pins it was made from; while they agree nothing is installed anew.

use std::fs;
use std::path::{Path, PathBuf};

use crate::cmd::{Cmd, Result};
use crate::workspace::Workspace;

/// Where the pins and the client programs are.
const CLIENTS: &str = "examples/tests/clients";

/// A virtual environment in `target/py`; gives its interpreter.
pub(crate) fn python(workspace: &Workspace) -> Result<PathBuf> {
    let pins = workspace.root.join(CLIENTS).join("requirements.txt");
    let latest = workspace.root.join(CLIENTS).join("requirements-latest.txt");
    let home = workspace.target.join("py");
    let python = home.join("bin/python");
    let pip = |list: &Path| {
        // The lists are complete, so nothing is resolved: sooner done, and the same everywhere.
        let pip = [
            "-m",
            "pip",
            "install",
            "--quiet",
            "--no-deps",
            "--no-compile",
        ];
        let quiet = ["--no-input", "--disable-pip-version-check", "--requirement"];
        Cmd::new(&python).args(pip).args(quiet).arg(list)
    };
    install(&home, &[&pins, &latest], || {
        Cmd::new("python3").args(["-m", "venv"]).arg(&home).run()?;
        pip(&pins).run()?;
        pip(&latest).arg("--target").arg(home.join("latest")).run()
    })?;
    Ok(python)
}

/// Node packages in `target/node`; gives the folder that holds `node_modules`.
pub(crate) fn node(workspace: &Workspace) -> Result<PathBuf> {
    let clients = workspace.root.join(CLIENTS);
    let home = workspace.target.join("node");
    let (manifest, lock) = (
        clients.join("package.json"),
        clients.join("package-lock.json"),
    );
    install(&home, &[&manifest, &lock], || {
        fs::create_dir_all(&home)?;
        fs::copy(&manifest, home.join("package.json"))?;
        fs::copy(&lock, home.join("package-lock.json"))?;
        let npm = [
            "ci",
            "--no-audit",
            "--no-fund",
            "--ignore-scripts",
            "--loglevel=error",
        ];
        Cmd::new("npm").args(npm).current_dir(&home).run()
    })?;
    Ok(home)
}

/// Runs `make` unless `home` was made from the same `pins`, at the same place.
fn install(home: &Path, pins: &[&Path], make: impl FnOnce() -> Result) -> Result {
    let stamp = home.join("aigw.stamp");
    let mut wanted = format!("{}\n", home.display());
    for pin in pins {
        wanted += &fs::read_to_string(pin)?;
    }
    if fs::read_to_string(&stamp).is_ok_and(|found| found == wanted) {
        println!("{} is as pinned", home.display());
        return Ok(());
    }
    if home.exists() {
        fs::remove_dir_all(home)?;
    }
    make()?;
    Ok(fs::write(stamp, wanted)?)
}
