//! `cargo xtask audit`: what is looked at now and then rather than on each change.
//!
//! A check that cannot be made here says `NOT RUN` and why, at the end, and is never counted as
//! passed. Tools are built once, at pinned versions, below the target directory.

use std::fs;
use std::path::{Path, PathBuf};

use crate::cmd::{Cmd, Result, cargo};
use crate::workspace::Workspace;

const DENY: (&str, &str) = ("cargo-deny", "0.20.2");
const MACHETE: (&str, &str) = ("cargo-machete", "0.9.2");
const SEMVER_CHECKS: (&str, &str) = ("cargo-semver-checks", "0.51.0");

/// How a check came out.
enum Verdict {
    Passed,
    Failed(String),
    NotRun(String),
}

impl From<Result> for Verdict {
    fn from(result: Result) -> Self {
        result.map_or_else(|error| Self::Failed(error.to_string()), |()| Self::Passed)
    }
}

pub(crate) fn run(workspace: &Workspace) -> Result {
    type Check = fn(&Workspace) -> Result<Verdict>;
    let checks: [(&str, Check); 7] = [
        ("licences, bans and sources", bans),
        ("advisories", advisories),
        ("unused dependencies", unused),
        ("API breaks", api_breaks),
        ("oldest Rust", oldest_rust),
        ("direct minimal versions", minimal_versions),
        ("wasm", wasm),
    ];
    let mut verdicts = Vec::new();
    for (name, check) in checks {
        println!("\n=== {name}");
        let verdict = check(workspace).unwrap_or_else(|error| Verdict::Failed(error.to_string()));
        verdicts.push((name, verdict));
    }
    println!("\n=== verdicts");
    let mut failed = 0_usize;
    for (name, verdict) in verdicts {
        match verdict {
            Verdict::Passed => println!("passed   {name}"),
            Verdict::NotRun(why) => println!("NOT RUN  {name}: {why}"),
            Verdict::Failed(why) => {
                failed += 1;
                println!("FAILED   {name}: {why}");
            }
        }
    }
    if failed == 0 {
        Ok(())
    } else {
        Err(format!("{failed} checks failed").into())
    }
}

fn bans(workspace: &Workspace) -> Result<Verdict> {
    let deny = tool(workspace, DENY)?;
    let checks = ["--all-features", "check", "licenses", "bans", "sources"];
    Ok(Cmd::new(deny).args(checks).run().into())
}

fn advisories(workspace: &Workspace) -> Result<Verdict> {
    let deny = tool(workspace, DENY)?;
    if let Err(error) = Cmd::new(&deny).args(["fetch", "db"]).read() {
        let why = error.to_string();
        let why = why
            .lines()
            .rfind(|line| !line.trim().is_empty())
            .unwrap_or_default()
            .trim();
        return Ok(Verdict::NotRun(format!(
            "the advisory database cannot be fetched: {why}"
        )));
    }
    let checks = ["--all-features", "check", "--disable-fetch", "advisories"];
    Ok(Cmd::new(deny).args(checks).run().into())
}

fn unused(workspace: &Workspace) -> Result<Verdict> {
    let machete = tool(workspace, MACHETE)?;
    Ok(Cmd::new(machete).arg("--with-metadata").run().into())
}

/// Against the last release, which is the newest tag `v…` that is an ancestor.
fn api_breaks(workspace: &Workspace) -> Result<Verdict> {
    let last = Cmd::new("git")
        .args(["describe", "--tags", "--abbrev=0", "--match", "v*"])
        .read();
    let Ok(last) = last else {
        return Ok(Verdict::NotRun(
            "there is no release to compare with".to_owned(),
        ));
    };
    let semver_checks = tool(workspace, SEMVER_CHECKS)?;
    let against = [
        "semver-checks",
        "--workspace",
        "--baseline-rev",
        last.trim(),
    ];
    Ok(Cmd::new(semver_checks).args(against).run().into())
}

fn oldest_rust(workspace: &Workspace) -> Result<Verdict> {
    let Some(oldest) = &workspace.rust_version else {
        return Ok(Verdict::Failed(
            "the workspace states no rust-version".to_owned(),
        ));
    };
    let toolchain = format!("+{oldest}");
    if cargo([&toolchain, "--version"]).read().is_err() {
        return Ok(Verdict::NotRun(format!("Rust {oldest} is not installed")));
    }
    let target = workspace.target.join("oldest-rust");
    let scope = [&toolchain, "check", "--workspace", "--all-features"];
    Ok(cargo(scope).env("CARGO_TARGET_DIR", target).run().into())
}

/// Builds the libraries with the oldest versions that their manifests allow.
fn minimal_versions(workspace: &Workspace) -> Result<Verdict> {
    if cargo(["+nightly", "--version"]).read().is_err() {
        return Ok(Verdict::NotRun(
            "no nightly toolchain is installed".to_owned(),
        ));
    }
    // In a copy of the tracked files, for it writes a lock of its own.
    let copy = workspace.target.join("minimal-versions");
    if copy.exists() {
        fs::remove_dir_all(&copy)?;
    }
    let export = ["checkout-index", "--all", "--force"];
    Cmd::new("git")
        .args(export)
        .arg(format!("--prefix={}/", copy.display()))
        .run()?;
    fs::remove_file(copy.join("Cargo.lock"))?;
    keep_libraries(workspace, &copy.join("Cargo.toml"))?;
    let target = workspace.target.join("minimal-versions-target");
    let lock = ["+nightly", "-Zdirect-minimal-versions", "generate-lockfile"];
    cargo(lock).current_dir(&copy).run()?;
    let mut check = cargo(["check", "--locked", "--all-features"]);
    for library in workspace.libraries() {
        check = check.args(["-p", &library.name]);
    }
    Ok(check
        .current_dir(&copy)
        .env("CARGO_TARGET_DIR", target)
        .run()
        .into())
}

/// Leaves only the libraries in a copied workspace: what the others need says nothing of them.
fn keep_libraries(workspace: &Workspace, manifest: &Path) -> Result {
    let text = fs::read_to_string(manifest)?;
    let (before, rest) = text
        .split_once("members = [")
        .ok_or("the workspace lists no members")?;
    let (_, after) = rest
        .split_once(']')
        .ok_or("the workspace's list of members has no end")?;
    let folders = workspace.libraries().map(|library| {
        let folder = library
            .folder
            .strip_prefix(&workspace.root)
            .unwrap_or(&library.folder);
        format!("{:?}", folder.display().to_string())
    });
    let folders = folders.collect::<Vec<_>>().join(", ");
    Ok(fs::write(
        manifest,
        format!("{before}members = [{folders}]{after}"),
    )?)
}

/// Core without features knows no runtime and no network, so it builds for the web as well.
fn wasm(_: &Workspace) -> Result<Verdict> {
    const TARGET: &str = "wasm32-unknown-unknown";
    let libraries = Cmd::new("rustc")
        .args(["--print", "target-libdir", "--target", TARGET])
        .read()?;
    if !PathBuf::from(libraries.trim()).exists() {
        return Ok(Verdict::NotRun(format!(
            "the target {TARGET} is not installed"
        )));
    }
    let scope = [
        "check",
        "-p",
        "aigw-core",
        "--no-default-features",
        "--target",
        TARGET,
    ];
    Ok(cargo(scope).run().into())
}

/// Builds a tool unless that version of it is there already; gives its program.
fn tool(workspace: &Workspace, (name, version): (&str, &str)) -> Result<PathBuf> {
    let root = workspace.target.join("tools");
    let install = [
        "install",
        "--quiet",
        "--locked",
        "--no-track",
        "--force",
        "--root",
    ];
    let program = root.join("bin").join(name);
    let stamp = root.join(format!("{name}.stamp"));
    if !fs::read_to_string(&stamp).is_ok_and(|found| found == version) || !program.exists() {
        let target = workspace.target.join("tools-target");
        let command = cargo(install).arg(&root).arg(format!("{name}@{version}"));
        command.env("CARGO_TARGET_DIR", target).run()?;
        fs::write(stamp, version)?;
    }
    Ok(program)
}
