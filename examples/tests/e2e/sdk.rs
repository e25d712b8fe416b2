//! The vendors' SDKs call the gateway, and its ledger agrees with what the providers behind it
//! served.
//!
//! The client programs are in `tests/clients`; what they need is installed by `cargo xtask test`,
//! which says where in `AIGW_TEST_PYTHON` and `AIGW_TEST_NODE`.

use std::{ffi::OsString, path::Path};

use tokio::process::Command;

use crate::{
    house::House,
    process::{Program, file, printed},
    tap::{Served, Tap},
};

const BACKENDS: [&str; 4] = ["azure", "openai", "anthropic", "gemini"];

/// Ends streams that want more than there is.
const STOPPING: &str = r#"
[token_limit]
estimate = "off"
output = 20
opaque = "pass"
stop_streams = true

[[token_limit.budget]]
name = "short"
key = ["header:x-budget"]
quota = 60
period = "year"
"#;

/// The providers behind a gateway that the client programs expect.
struct Providers {
    /// The gateway's file.
    toml: String,
    taps: Vec<(&'static str, Tap)>,
}

impl Providers {
    async fn open() -> Self {
        let mut toml = include_str!("sdk.toml").to_owned();
        let mut taps = Vec::new();
        for backend in BACKENDS {
            let tap = Tap::open().await;
            toml = toml.replace(&format!("{{{backend}}}"), &tap.url());
            taps.push((backend, tap));
        }
        Self { toml, taps }
    }

    /// Checks the ledger when every answer was read to its end.
    async fn audit_exactly(&self, house: &House) {
        for (backend, tap) in &self.taps {
            let served = tap.served();
            let used = house.used_by(backend, served.calls).await;
            println!("{backend}: served {served:?}, used {used:?}");
            assert_eq!(used.complete, served.calls, "{backend}");
            assert_eq!(used.input, served.input, "{backend}");
            assert_eq!(used.output, served.output, "{backend}");
            let unstated = used.counted + used.unmeasured;
            assert_eq!(unstated, served.unstated, "{backend}");
        }
        self.assert_called();
    }

    /// Checks the ledger when callers hung up: each call stands in it once, and not for more than
    /// was served.
    async fn audit(&self, house: &House) {
        for (backend, tap) in &self.taps {
            let served = tap.served();
            let used = house.used_by(backend, served.calls).await;
            println!("{backend}: served {served:?}, used {used:?}");
            assert_eq!(used.complete + used.dropped, served.calls, "{backend}");
            assert!(used.input <= served.input, "{backend}");
            assert!(used.output <= served.output, "{backend}");
        }
        self.assert_called();
    }

    fn assert_called(&self) {
        let served: Vec<Served> = self.taps.iter().map(|(_, tap)| tap.served()).collect();
        let output: u64 = served.iter().map(|served| served.output).sum();
        assert!(output > 0, "nobody called: {served:?}");
    }
}

/// pytest, with the client programs aimed at a gateway.
fn pytest(url: &str, args: &[&str]) -> Command {
    let mut command = Command::new(provided("AIGW_TEST_PYTHON"));
    command.args(["-m", "pytest", "--quiet", "--tb=short"]);
    // What some SDKs bring along for pytest takes longer to load than the tests take.
    command.env("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1");
    aimed(command, url, args)
}

/// The test runner of Node, with client programs aimed at a gateway.
fn node(url: &str, args: &[&str]) -> Command {
    provided("AIGW_TEST_NODE");
    let mut command = Command::new("node");
    command.arg("--test");
    aimed(command, url, args)
}

fn aimed(mut command: Command, url: &str, args: &[&str]) -> Command {
    let clients = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients");
    command
        .args(args)
        .current_dir(clients)
        .env("AIGW_BASE_URL", url)
        .env("NO_PROXY", "127.0.0.1");
    command
}

fn provided(variable: &str) -> OsString {
    std::env::var_os(variable)
        .unwrap_or_else(|| panic!("{variable} is not set: run `cargo xtask test`"))
}

#[tokio::test]
#[ignore = "needs the Python SDKs, which `cargo xtask test` installs"]
async fn python_sdks_are_served_and_their_use_is_known_exactly() {
    let providers = Providers::open().await;
    let house = House::open(&providers.toml).await;
    let to_the_end = ["-k", "not closed_early and not newest"];
    printed(&mut pytest(&house.url(), &to_the_end)).await;
    providers.audit_exactly(&house).await;
}

#[tokio::test]
#[ignore = "needs the Python SDKs, which `cargo xtask test` installs"]
async fn python_sdks_may_close_their_streams_early() {
    let providers = Providers::open().await;
    let house = House::open(&providers.toml).await;
    let early = ["-k", "closed_early", "test_openai.py", "test_anthropic.py"];
    printed(&mut pytest(&house.url(), &early)).await;
    providers.audit(&house).await;
}

#[tokio::test]
#[ignore = "needs the Python SDKs, which `cargo xtask test` installs"]
async fn the_newest_python_sdk_is_served() {
    let providers = Providers::open().await;
    let house = House::open(&providers.toml).await;
    printed(&mut pytest(&house.url(), &["test_openai_latest.py"])).await;
    providers.audit(&house).await;
}

#[tokio::test]
#[ignore = "needs the Python SDKs, which `cargo xtask test` installs"]
async fn python_sdks_are_let_in_with_a_key_and_told_when_it_is_wrong() {
    const ACCESS: &str = "\n[[access.consumer]]\nid = \"team-a\"\nkeys = [\"sk-team-a\"]\n";
    let providers = Providers::open().await;
    let house = House::open(&(providers.toml.clone() + ACCESS)).await;
    let programs = [
        "test_access.py",
        "test_openai.py",
        "test_anthropic.py",
        "test_google_genai.py",
    ];
    printed(pytest(&house.url(), &programs).env("AIGW_API_KEY", "sk-team-a")).await;
    providers.audit(&house).await;
}

#[tokio::test]
#[ignore = "needs the Python SDKs, which `cargo xtask test` installs"]
async fn python_sdks_raise_their_own_errors_at_a_limit_and_wait_as_they_are_told() {
    const LIMIT: &str = r#"
[token_limit]
estimate = "off"
output = 100
opaque = "pass"

[[token_limit.budget]]
name = "short"
key = ["model"]
tokens = 100
per = "5s"
"#;
    let providers = Providers::open().await;
    let house = House::open(&(providers.toml.clone() + LIMIT)).await;
    printed(pytest(&house.url(), &["test_limits.py"]).env("AIGW_LIMITED", "1")).await;
}

#[tokio::test]
#[ignore = "needs the Python SDKs, which `cargo xtask test` installs"]
async fn python_sdks_take_a_stream_that_is_stopped_for_one_at_its_greatest_length() {
    let providers = Providers::open().await;
    let house = House::open(&(providers.toml.clone() + STOPPING)).await;
    printed(pytest(&house.url(), &["test_stopped.py"]).env("AIGW_STOPPED", "1")).await;
}

#[tokio::test]
#[ignore = "needs the Node SDK, which `cargo xtask test` installs"]
async fn the_node_sdk_takes_a_stream_that_is_stopped_for_one_at_its_greatest_length() {
    let providers = Providers::open().await;
    let house = House::open(&(providers.toml.clone() + STOPPING)).await;
    printed(&mut node(&house.url(), &["stopped.test.mjs"])).await;
}

#[tokio::test]
#[ignore = "needs the Node SDK, which `cargo xtask test` installs"]
async fn the_node_sdk_is_served_and_its_use_is_known_exactly() {
    let providers = Providers::open().await;
    let house = House::open(&providers.toml).await;
    // What the file's own name matches runs all of its tests, as any pattern of exclusion does.
    let to_the_end = "--test-name-pattern=^(chat|a stream|a call|an unknown) ";
    printed(&mut node(&house.url(), &[to_the_end, "openai.test.mjs"])).await;
    providers.audit_exactly(&house).await;
}

#[tokio::test]
#[ignore = "needs the Node SDK, which `cargo xtask test` installs"]
async fn the_node_sdk_may_abort_its_streams() {
    let providers = Providers::open().await;
    let house = House::open(&providers.toml).await;
    printed(&mut node(
        &house.url(),
        &["--test-name-pattern=^an aborted", "openai.test.mjs"],
    ))
    .await;
    providers.audit(&house).await;
}

#[tokio::test]
#[ignore = "needs the SDKs, which `cargo xtask test` installs"]
async fn the_gateway_on_bare_hyper_serves_them_as_well() {
    let providers = Providers::open().await;
    // It has no pages for operators.
    let toml = providers
        .toml
        .replace("admin_listen = \"127.0.0.1:0\"\n", "");
    let mut command = Command::new(env!("CARGO_BIN_EXE_gateway_hyper"));
    command.arg("--config").arg(file("sdk-hyper.toml", &toml));
    let mut gateway = Program::start(&mut command);
    let url = gateway.address("listening on ").await;
    let programs = ["test_openai.py", "test_anthropic.py"];
    printed(&mut pytest(&url, &programs)).await;
    printed(&mut node(&url, &["openai.test.mjs"])).await;
    providers.assert_called();
    gateway.terminate().await;
    assert!(gateway.exit().await.success());
}
