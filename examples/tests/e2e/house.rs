//! A gateway in this process.

use std::{net::SocketAddr, time::Duration};

use aigw_examples::gateway::{Config, run::Gateway};
use serde_json::Value;
use tokio::{
    runtime::{Builder, Runtime},
    sync::oneshot,
    time::{Instant, sleep},
};

use crate::wire::{Wire, get};

/// A gateway on a runtime of its own, where its tasks are the only ones.
pub(crate) struct House {
    runtime: Option<Runtime>,
    address: SocketAddr,
    admin: SocketAddr,
    idle: usize,
}

/// What the gateway says that the calls to a backend used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Used {
    pub(crate) calls: u64,
    pub(crate) input: u64,
    pub(crate) output: u64,
    /// Calls whose answer stated nothing, and the tokens that its content stands for.
    pub(crate) counted: u64,
    pub(crate) counted_output: u64,
    pub(crate) unmeasured: u64,
    pub(crate) complete: u64,
    pub(crate) dropped: u64,
}

/// How long something that must happen may take on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A simulator behind each dialect, and a model for each; `server` are further settings of that
/// section.
pub(crate) fn every_dialect(server: &str) -> String {
    format!(
        r#"
[server]
listen = "127.0.0.1:0"
admin_listen = "127.0.0.1:0"
{server}

[[simulator]]
id = "simulator"
listen = "127.0.0.1:0"

[[backend]]
id = "openai"
simulator = "simulator"
dialect = "openai"

[[backend]]
id = "azure"
simulator = "simulator"
dialect = "azure-openai"
api_version = "2024-10-21"

[[backend]]
id = "anthropic"
simulator = "simulator"
dialect = "anthropic"

[[backend]]
id = "gemini"
simulator = "simulator"
dialect = "gemini"

[[route]]
model = ["gpt-4o"]
operation = ["chat"]
backends = ["openai"]

[[route]]
model = ["gpt-4o-mini"]
operation = ["chat"]
backends = ["azure"]

[[route]]
model = ["claude-sonnet-4-5"]
operation = ["chat"]
backends = ["anthropic"]

[[route]]
model = ["gemini-2.0-flash"]
operation = ["chat"]
backends = ["gemini"]

[[route]]
model = ["whisper-1"]
operation = ["transcription"]
backends = ["openai"]
"#
    )
}

/// One backend at an address, in OpenAI's words, for everything.
pub(crate) fn one_backend(url: &str, server: &str) -> String {
    format!(
        r#"
[server]
listen = "127.0.0.1:0"
admin_listen = "127.0.0.1:0"
{server}

[[backend]]
id = "upstream"
url = "{url}"
dialect = "openai"

[[route]]
backends = ["upstream"]
"#
    )
}

impl House {
    /// Opens a gateway of these settings.
    pub(crate) async fn open(toml: &str) -> Self {
        let config = Config::parse(toml).unwrap();
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let (tell, told) = oneshot::channel();
        let simulators = config.simulator.len();
        runtime.spawn(async move {
            let gateway = Gateway::bind(config).await.unwrap();
            let admin = gateway.admin_address().unwrap().unwrap();
            tell.send((gateway.address().unwrap(), admin)).unwrap();
            gateway.serve(std::future::pending()).await;
        });
        let (address, admin) = told.await.unwrap();
        Self {
            runtime: Some(runtime),
            address,
            admin,
            // The gateway, the operators' pages and each simulator.
            idle: 2 + simulators,
        }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The tasks of the gateway beyond those that it always has.
    pub(crate) fn tasks(&self) -> usize {
        let metrics = self.runtime.as_ref().unwrap().metrics();
        metrics.num_alive_tasks().saturating_sub(self.idle)
    }

    /// A fresh connection to the gateway.
    pub(crate) async fn connect(&self) -> Wire {
        Wire::connect(self.address).await
    }

    /// What operators see.
    pub(crate) async fn status(&self) -> Value {
        let mut wire = Wire::connect(self.admin).await;
        wire.send(get("/status")).await;
        wire.answer().await.json()
    }

    /// What the calls to a backend used.
    pub(crate) async fn used(&self, backend: &str) -> Used {
        Used::of(&self.status().await["used"][backend])
    }

    /// Waits until the ledger has so many calls to a backend, and says what they used.
    pub(crate) async fn used_by(&self, backend: &str, calls: u64) -> Used {
        let until = Instant::now() + PATIENCE;
        loop {
            let used = self.used(backend).await;
            if used.calls == calls {
                return used;
            }
            assert!(Instant::now() < until, "{calls} calls expected: {used:?}");
            sleep(PAUSE).await;
        }
    }

    /// Waits until nothing is left of any call or connection.
    pub(crate) async fn quiet(&self) {
        eventually("no task is left", || self.tasks() == 0).await;
    }
}

impl Drop for House {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Used {
    fn of(account: &Value) -> Self {
        let count = |value: &Value| value.as_u64().unwrap_or(0);
        Self {
            calls: count(&account["calls"]),
            input: count(&account["input_tokens"]),
            output: count(&account["output_tokens"]),
            counted: count(&account["counted_calls"]),
            counted_output: count(&account["counted_output_tokens"]),
            unmeasured: count(&account["unmeasured_calls"]),
            complete: count(&account["endings"]["complete"]),
            dropped: count(&account["endings"]["dropped"]),
        }
    }
}

const PAUSE: Duration = Duration::from_millis(5);

/// Waits until something holds.
pub(crate) async fn eventually(what: &str, holds: impl Fn() -> bool) {
    let until = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < until, "never: {what}");
        sleep(PAUSE).await;
    }
}
