//! Processes: on which core they run, what they take of it, and of memory.

use std::{
    fs,
    io::{BufRead, BufReader},
    net::SocketAddr,
    process::{Child, Command, Stdio},
    time::Duration,
};

use crate::{Result, gateway::Kind, wire::Wire};

/// The core of the gateway under measurement, and that of everything else.
const GATEWAY_CORE: &str = "0";
const LOAD_CORE: &str = "1";

/// A gateway in a process of its own, ended when dropped.
pub(crate) struct Gateway {
    child: Child,
    pub(crate) address: SocketAddr,
}

impl Gateway {
    /// Starts one of ourselves as a gateway, alone on its core.
    pub(crate) fn start(kind: Kind, wire: Wire, upstream: SocketAddr) -> Result<Self> {
        let me = std::env::current_exe()?;
        let mut command = if has_two_cores() {
            let mut command = Command::new("taskset");
            command.args(["-c", GATEWAY_CORE]).arg(me);
            command
        } else {
            Command::new(me)
        };
        let mut child = command
            .args(["--gateway", kind.name(), wire.name()])
            .arg(upstream.to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut line = String::new();
        if let Some(stdout) = child.stdout.take() {
            BufReader::new(stdout).read_line(&mut line)?;
        }
        let address = line.trim().parse()?;
        Ok(Self { child, address })
    }

    /// The processor time it has taken so far, in user and in kernel mode.
    pub(crate) fn cpu(&self) -> Result<Duration> {
        let mut nanos = 0;
        for task in fs::read_dir(format!("/proc/{}/task", self.child.id()))? {
            let stat = fs::read_to_string(task?.path().join("schedstat"))?;
            nanos += stat.split(' ').next().unwrap_or_default().parse::<u64>()?;
        }
        Ok(Duration::from_nanos(nanos))
    }

    /// The memory it has resident, in bytes.
    pub(crate) fn resident(&self) -> Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line.and_then(|line| line.trim().strip_suffix(" kB"));
        Ok(kib.ok_or("/proc shows no VmRSS")?.parse::<u64>()? * 1024)
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Leaves the gateway's core to the gateway.
pub(crate) fn step_aside() -> Result {
    if has_two_cores() {
        let me = std::process::id().to_string();
        let pinned = Command::new("taskset")
            .args(["-acp", LOAD_CORE, &me])
            .stdout(Stdio::null())
            .status()?;
        if pinned.success() {
            println!(
                "\ngateway on core {GATEWAY_CORE}, load and provider on core {LOAD_CORE}; {}",
                load_average()
            );
            return Ok(());
        }
    }
    println!("\nNOT PINNED: fewer than two cores, or no `taskset`");
    Ok(())
}

/// How many files this process and those it starts may open, after asking for `wanted`.
pub(crate) fn open_files(wanted: u64) -> Result<u64> {
    let me = std::process::id().to_string();
    for limit in [
        wanted.to_string(),
        format!("{wanted}:"),
        "unlimited:".into(),
    ] {
        let mut prlimit = Command::new("prlimit");
        prlimit.args(["--pid", &me, &format!("--nofile={limit}")]);
        if prlimit.stderr(Stdio::null()).status()?.success() {
            break;
        }
    }
    let limits = fs::read_to_string("/proc/self/limits")?;
    let line = limits
        .lines()
        .find(|line| line.starts_with("Max open files"));
    let soft = line.and_then(|line| line.split_whitespace().nth(3));
    Ok(soft.ok_or("/proc shows no limit of open files")?.parse()?)
}

fn has_two_cores() -> bool {
    std::thread::available_parallelism().is_ok_and(|cores| cores.get() > 1)
        || fs::read_to_string("/proc/cpuinfo")
            .is_ok_and(|info| info.matches("processor\t").count() > 1)
}

fn load_average() -> String {
    let average = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let one = average.split(' ').next().unwrap_or("unknown").to_owned();
    format!("load average before {one}")
}
