//! A real Redis with vector search for the tests: found, or fetched below the target directory.
//!
//! In this order: the server that `AIGW_TEST_REDIS_URL` names; a `redis-server` on the path that
//! knows `FT.SEARCH` or `VADD`; else a fetched one, with the search module of another.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::cmd::Result;
use crate::servers::Servers;
use crate::workspace::Workspace;

/// What the tests read; see `CONTRIBUTING.md`.
pub(crate) const URL_VARIABLE: &str = "AIGW_TEST_REDIS_URL";

/// How long a server may take to answer its first `PING`.
const START_TIMEOUT: Duration = Duration::from_secs(20);
const IO_TIMEOUT: Duration = Duration::from_secs(5);

/// A server to test against; one that was started here ends with this value.
#[derive(Debug)]
pub(crate) struct Redis {
    pub(crate) url: String,
    child: Option<Child>,
}

impl Redis {
    /// Finds, fetches or starts a server, and asks it what it can do.
    pub(crate) fn provide(workspace: &Workspace, servers: Option<&Servers>) -> Result<Self> {
        if let Ok(url) = std::env::var(URL_VARIABLE) {
            let known = Commands::ask(address(&url)?)?;
            println!("{url} of {URL_VARIABLE}: {known}");
            return Ok(Self { url, child: None });
        }
        let dir = workspace.target.join("redis");
        fs::create_dir_all(&dir)?;
        match Self::start(Path::new("redis-server"), None, &dir) {
            Ok((redis, known)) if known.search || known.vector_sets => {
                println!("redis-server on the path at {}: {known}", redis.url);
                return Ok(redis);
            }
            Ok((_, known)) => println!("redis-server on the path is of no use: {known}"),
            Err(error) => println!("redis-server on the path is of no use: {error}"),
        }
        let servers = servers.ok_or("there is no other")?;
        let (redis, known) = Self::start(&servers.newest(), Some(&servers.search()?), &dir)?;
        println!("the fetched redis-server at {}: {known}", redis.url);
        if !(known.search && known.vector_sets) {
            return Err(format!("the fetched Redis lacks what it is fetched for: {known}").into());
        }
        Ok(redis)
    }

    fn start(program: &Path, module: Option<&Path>, dir: &Path) -> Result<(Self, Commands)> {
        // Free now, though not for certain in a moment: a server that lost it ends at once.
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let log = dir.join("server.log");
        let mut command = Command::new(program);
        command
            .args(["--bind", "127.0.0.1", "--port", &port.to_string(), "--dir"])
            .arg(dir);
        // Nothing is kept; tests may stall the server on purpose.
        command.args([
            "--save",
            "",
            "--appendonly",
            "no",
            "--enable-debug-command",
            "local",
        ]);
        if let Some(module) = module {
            command.arg("--loadmodule").arg(module);
        }
        command
            .stdin(Stdio::null())
            .stdout(fs::File::create(&log)?)
            .stderr(Stdio::null());
        let url = format!("redis://127.0.0.1:{port}");
        let mut redis = Self {
            url,
            child: Some(command.spawn()?),
        };
        let started = Instant::now();
        loop {
            let error = match Commands::ask(format!("127.0.0.1:{port}")) {
                Ok(known) => return Ok((redis, known)),
                Err(error) => error,
            };
            let ended = redis
                .child
                .as_mut()
                .and_then(|child| child.try_wait().ok().flatten());
            if ended.is_some() || started.elapsed() > START_TIMEOUT {
                let said = fs::read_to_string(&log).unwrap_or_default();
                return Err(format!("redis-server does not answer ({error}):\n{said}").into());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            // It keeps nothing, so there is nothing to shut down in order.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Host and port of `redis://[user:password@]host[:port][/db]`.
fn address(url: &str) -> Result<String> {
    let rest = url.split_once("://").map(|(_, rest)| rest);
    let host = rest.and_then(|rest| rest.split(['/', '?']).next());
    let host = host.map(|host| host.rsplit_once('@').map_or(host, |(_, host)| host));
    match host {
        Some(host) if host.contains(':') => Ok(host.to_owned()),
        Some(host) if !host.is_empty() => Ok(format!("{host}:6379")),
        _ => Err(format!("{URL_VARIABLE} is no Redis URL: {url}").into()),
    }
}

/// The commands beyond plain Redis that a server knows.
#[derive(Clone, Copy, Debug)]
struct Commands {
    search: bool,
    vector_sets: bool,
}

impl Commands {
    fn ask(address: String) -> Result<Self> {
        let mut stream = TcpStream::connect(&address)?;
        stream.set_read_timeout(Some(IO_TIMEOUT))?;
        let pong = ask(&mut stream, "PING")?;
        // While a module loads its data the server answers, but with an error.
        if !pong.starts_with("+PONG") {
            return Err(format!("{address} answers PING with {pong:?}").into());
        }
        // An unknown command is a null in the array, in whichever form the protocol has it.
        let mut knows = |name: &str| -> Result<bool> {
            let info = ask(&mut stream, &format!("COMMAND INFO {name}"))?;
            Ok(info.starts_with("*1\r\n*") && !info.starts_with("*1\r\n*-1"))
        };
        Ok(Self {
            search: knows("FT.SEARCH")?,
            vector_sets: knows("VADD")?,
        })
    }
}

impl std::fmt::Display for Commands {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let word = |known| if known { "yes" } else { "no" };
        write!(
            f,
            "search {}, vector sets {}",
            word(self.search),
            word(self.vector_sets)
        )
    }
}

/// Sends an inline command and gives the head of the answer, the rest read away.
fn ask(stream: &mut TcpStream, command: &str) -> Result<String> {
    // A second command marks the end of the first one's answer, however long that is.
    const MARK: &str = "aigw-end-of-answer";
    stream.write_all(format!("{command}\r\nECHO {MARK}\r\n").as_bytes())?;
    let end = format!("${}\r\n{MARK}\r\n", MARK.len());
    let mut answer = Vec::new();
    let mut chunk = [0; 4096];
    while !answer.ends_with(end.as_bytes()) {
        match stream.read(&mut chunk)? {
            0 => return Err(format!("the server hung up on {command}").into()),
            n => answer.extend(chunk.iter().take(n)),
        }
    }
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_of_a_redis_url_is_read() {
        for (url, expected) in [
            ("redis://127.0.0.1:7000", "127.0.0.1:7000"),
            ("redis://u:p@host:1/2", "host:1"),
            ("rediss://host/0", "host:6379"),
            ("redis://host?protocol=resp3", "host:6379"),
        ] {
            assert_eq!(address(url).unwrap(), expected);
        }
        assert!(address("host:1").is_err());
        assert!(address("redis://").is_err());
    }
}
