//! Child processes: shown before they run, an error when they fail.

use std::ffi::OsStr;
use std::fmt;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

pub(crate) type Result<T = ()> = std::result::Result<T, Box<dyn std::error::Error>>;

/// Which of a child's streams is read line by line while it is shown.
#[derive(Clone, Copy)]
pub(crate) enum Watch {
    Stdout,
    Stderr,
}

/// A command to run, without a shell in between.
#[must_use]
pub(crate) struct Cmd(Command);

/// Shorthand for the `cargo` on the path, so that `+toolchain` works where rustup is.
pub(crate) fn cargo<I, A>(args: I) -> Cmd
where
    I: IntoIterator<Item = A>,
    A: AsRef<OsStr>,
{
    Cmd::new("cargo").args(args)
}

impl Cmd {
    pub(crate) fn new(program: impl AsRef<OsStr>) -> Self {
        Self(Command::new(program))
    }

    pub(crate) fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.0.arg(arg);
        self
    }

    pub(crate) fn args<I, A>(mut self, args: I) -> Self
    where
        I: IntoIterator<Item = A>,
        A: AsRef<OsStr>,
    {
        self.0.args(args);
        self
    }

    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.0.env(name, value);
        self
    }

    pub(crate) fn current_dir(mut self, dir: impl AsRef<Path>) -> Self {
        self.0.current_dir(dir);
        self
    }

    /// Runs to the end, output shown as it comes.
    pub(crate) fn run(mut self) -> Result {
        println!("$ {self}");
        let status = self.0.stdin(Stdio::null()).status();
        let status = status.map_err(|error| format!("cannot run `{self}`: {error}"))?;
        if !status.success() {
            return Err(format!("`{self}` ended with {status}").into());
        }
        Ok(())
    }

    /// Runs to the end unseen and gives what was printed; the errors' text is in the error.
    pub(crate) fn read(mut self) -> Result<String> {
        let output = self.0.stdin(Stdio::null()).output();
        let output = output.map_err(|error| format!("cannot run `{self}`: {error}"))?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            return Err(format!("`{self}` ended with {}:\n{said}", output.status).into());
        }
        Ok(String::from_utf8(output.stdout)?)
    }

    /// As [`run`](Self::run), while `line` sees each line of one stream, failed or not.
    pub(crate) fn watch(mut self, stream: Watch, mut line: impl FnMut(&str)) -> Result {
        println!("$ {self}");
        self.0.stdin(Stdio::null());
        match stream {
            Watch::Stdout => self.0.stdout(Stdio::piped()),
            Watch::Stderr => self.0.stderr(Stdio::piped()),
        };
        let child = self.0.spawn();
        let mut child = child.map_err(|error| format!("cannot run `{self}`: {error}"))?;
        if let Some(stdout) = child.stdout.take() {
            for text in BufReader::new(stdout).lines() {
                let text = text?;
                println!("{text}");
                line(&text);
            }
        }
        if let Some(stderr) = child.stderr.take() {
            for text in BufReader::new(stderr).lines() {
                let text = text?;
                eprintln!("{text}");
                line(&text);
            }
        }
        let status = child.wait()?;
        if !status.success() {
            return Err(format!("`{self}` ended with {status}").into());
        }
        Ok(())
    }
}

/// The command as a reader would type it, near enough to be run again.
impl fmt::Display for Cmd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, value) in self.0.get_envs() {
            if let Some(value) = value {
                let (name, value) = (name.to_string_lossy(), value.to_string_lossy());
                write!(f, "{name}={} ", quoted(&value))?;
            }
        }
        write!(f, "{}", self.0.get_program().to_string_lossy())?;
        for arg in self.0.get_args() {
            write!(f, " {}", quoted(&arg.to_string_lossy()))?;
        }
        Ok(())
    }
}

fn quoted(text: &str) -> String {
    if text.is_empty() || text.contains(|c: char| c.is_whitespace() || "|'\"{}*".contains(c)) {
        format!("{text:?}")
    } else {
        text.to_owned()
    }
}
