//! Programs as an operator starts them: the built gateway, and what calls it.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{ExitStatus, Output, Stdio},
};

use tokio::{
    io::{AsyncBufReadExt, BufReader, Lines},
    process::{Child, ChildStdout, Command},
    time::timeout,
};

use crate::{house::PATIENCE, wire::Wire};

/// A program that runs until it is told to stop, or is dropped.
pub(crate) struct Program {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

/// The gateway with these arguments.
pub(crate) fn gateway(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gateway"));
    command.args(args);
    command
}

/// A file that holds `text` and is named for the test that writes it.
pub(crate) fn file(name: &str, text: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::write(&path, text).unwrap();
    path
}

/// Runs a program to its end.
pub(crate) async fn output(command: &mut Command) -> Output {
    let run = command.stdin(Stdio::null()).kill_on_drop(true).output();
    timeout(10 * PATIENCE, run).await.unwrap().unwrap()
}

/// Runs a program that must succeed, and gives what it printed.
pub(crate) async fn printed(command: &mut Command) -> String {
    let output = output(command).await;
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {printed}\n{errors}");
    printed
}

impl Program {
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    /// A gateway with a file of its own.
    pub(crate) fn gateway(name: &str, toml: &str) -> Self {
        let file = file(name, toml);
        Self::start(&mut gateway(&["--config", file.to_str().unwrap()]))
    }

    /// The next line that it prints; `None` at the end.
    pub(crate) async fn line(&mut self) -> Option<String> {
        let line = timeout(PATIENCE, self.lines.next_line()).await;
        line.expect("a line, or the end").unwrap()
    }

    /// The address that the next line names after these words.
    pub(crate) async fn address(&mut self, words: &str) -> String {
        let line = self.line().await.unwrap_or_default();
        let address = line.strip_prefix(words);
        address.unwrap_or_else(|| panic!("{line}")).to_owned()
    }

    /// A connection to where it says that it listens.
    pub(crate) async fn connect(address: &str) -> Wire {
        Wire::connect(address.parse().unwrap()).await
    }

    /// Sends SIGTERM.
    pub(crate) async fn terminate(&self) {
        let id = self.child.id().unwrap().to_string();
        printed(Command::new("kill").args(["-TERM", &id])).await;
    }

    pub(crate) async fn exit(mut self) -> ExitStatus {
        timeout(PATIENCE, self.child.wait()).await.unwrap().unwrap()
    }
}
