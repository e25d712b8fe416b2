//! Servers of a test's own, which it may stop and kill.

use std::{
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering::Relaxed},
    time::{Duration, Instant},
};

use ::redis::{
    Client, TlsCertificates,
    aio::{ConnectionManager, ConnectionManagerConfig},
};

/// A server that ends with its test.
pub(super) struct Server {
    program: PathBuf,
    args: Vec<String>,
    pub(super) port: u16,
    dir: PathBuf,
    /// Its certificate, if it has one.
    trusted: Option<Vec<u8>>,
    child: Child,
}

/// All that there are.
pub(super) const ALL: [&str; 4] = [NEWEST, "redis-7.4", "redis-6.2", "valkey-9.1"];
pub(super) const NEWEST: &str = "redis-8.2";

/// How long a server may take to be there, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

impl Server {
    /// One that keeps nothing.
    pub(super) async fn start(name: &str, args: &[&str]) -> Self {
        let mut server = Self::begin(name, args, |_| {});
        server.ready().await;
        server
    }

    /// One that speaks TLS alone, with this certificate and key.
    pub(super) async fn with_tls(cert: &str, key: &str) -> Self {
        let mut args = vec!["--tls-port", "{port}", "--tls-auth-clients", "no"];
        args.extend(["--tls-cert-file", "cert.pem", "--tls-key-file", "key.pem"]);
        // The others are built without.
        let mut server = Self::begin("redis-7.4", &args, |dir| {
            fs::write(dir.join("cert.pem"), cert).unwrap();
            fs::write(dir.join("key.pem"), key).unwrap();
        });
        server.trusted = Some(cert.as_bytes().to_vec());
        server.ready().await;
        server
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "the test command says where its servers are"
    )]
    fn begin(name: &str, args: &[&str], prepare: impl FnOnce(&Path)) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let servers = std::env::var("AIGW_TEST_REDIS_SERVERS");
        let servers = servers.expect("a folder of servers: run `cargo xtask test`");
        let program = PathBuf::from(servers).join(name);
        let number = NEXT.fetch_add(1, Relaxed);
        let dir = format!("aigw-{}-{number}-{name}", std::process::id());
        let dir = std::env::temp_dir().join(dir);
        fs::create_dir_all(&dir).unwrap();
        prepare(&dir);
        // Free now, though not for certain in a moment: a server that lost it does not come up.
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        let mut args: Vec<_> = args
            .iter()
            .map(|arg| arg.replace("{port}", &port.to_string()))
            .collect();
        let plain = if args.iter().any(|arg| arg == "--tls-port") {
            0
        } else {
            port
        };
        args.extend(["--port".to_owned(), plain.to_string()]);
        let child = spawn(&program, &args, &dir);
        Self {
            program,
            args,
            port,
            dir,
            trusted: None,
            child,
        }
    }

    pub(super) fn url(&self) -> String {
        match self.trusted {
            Some(_) => format!("rediss://localhost:{}", self.port),
            None => format!("redis://127.0.0.1:{}", self.port),
        }
    }

    pub(super) fn client(&self) -> Client {
        self.client_at(&self.url())
    }

    /// One that comes by a URL of its own.
    pub(super) fn client_at(&self, url: &str) -> Client {
        match &self.trusted {
            Some(trusted) => {
                let tls = TlsCertificates {
                    client_tls: None,
                    root_cert: Some(trusted.clone()),
                };
                Client::build_with_tls(url, tls).unwrap()
            }
            None => Client::open(url).unwrap(),
        }
    }

    /// A connection that comes again when the server does.
    pub(super) async fn connection(&self) -> ConnectionManager {
        let config = ConnectionManagerConfig::new()
            .set_number_of_retries(0)
            .set_response_timeout(None);
        let client = self.client();
        ConnectionManager::new_with_config(client, config)
            .await
            .unwrap()
    }

    /// Asks the server something.
    pub(super) async fn ask<T: ::redis::FromRedisValue>(&self, words: &[&str]) -> T {
        let mut connection = self
            .client()
            .get_multiplexed_async_connection()
            .await
            .unwrap();
        let mut cmd = ::redis::Cmd::new();
        words.iter().for_each(|word| {
            cmd.arg(word);
        });
        cmd.query_async(&mut connection).await.unwrap()
    }

    /// As the kernel does where memory is short.
    pub(super) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Starts again after it was killed.
    pub(super) async fn restart(&mut self) {
        self.child = spawn(&self.program, &self.args, &self.dir);
        self.ready().await;
    }

    /// Stands still until it is resumed.
    pub(super) fn pause(&self) {
        self.signal("-STOP");
    }

    pub(super) fn resume(&self) {
        self.signal("-CONT");
    }

    fn signal(&self, signal: &str) {
        let id = self.child.id().to_string();
        let status = Command::new("kill").args([signal, &id]).status().unwrap();
        assert!(status.success());
    }

    async fn ready(&mut self) {
        let until = Instant::now() + PATIENCE;
        loop {
            let connection = self.client().get_multiplexed_async_connection().await;
            if let Ok(mut connection) = connection {
                // It answers with an error while it reads what it has kept.
                let pong = ::redis::cmd("PING").exec_async(&mut connection).await;
                if pong.is_ok() {
                    return;
                }
            }
            let log = || fs::read_to_string(self.dir.join("log")).unwrap_or_default();
            assert!(Instant::now() < until, "{}", log());
            assert!(self.child.try_wait().unwrap().is_none(), "{}", log());
            tokio::task::yield_now().await;
        }
    }
}

fn spawn(program: &Path, args: &[String], dir: &Path) -> Child {
    let log = fs::File::create(dir.join("log")).unwrap();
    Command::new(program)
        .args(args)
        .args(["--bind", "127.0.0.1", "--save", "", "--dir", "."])
        .current_dir(dir)
        .stdin(Stdio::null())
        .stdout(log)
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may be gone already, and its files with it.
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.dir);
    }
}
