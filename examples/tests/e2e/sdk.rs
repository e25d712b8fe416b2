//! The vendors' SDKs call the gateway, and its ledger agrees with what the providers behind it served.
//!
//! The client programs are in `tests/clients`; what they need is installed by `cargo xtask test`, which says where in
//! `AIGW_TEST_PYTHON` and `AIGW_TEST_NODE`.

use std::{ffi::OsString, path::Path};

use tokio::process::Command;

use crate::{
    house::House,
    process::printed,
    tap::{Served, Tap},
};

const BACKENDS: [&str; 4] = ["azure", "openai", "anthropic", "gemini"];

/// The gateway that the client programs expect, with an ear at each of its providers.
struct Scene {
    house: House,
    taps: Vec<(&'static str, Tap)>,
}

impl Scene {
    async fn open() -> Self {
        let mut toml = include_str!("sdk.toml").to_owned();
        let mut taps = Vec::new();
        for backend in BACKENDS {
            let tap = Tap::open().await;
            toml = toml.replace(&format!("{{{backend}}}"), &tap.url());
            taps.push((backend, tap));
        }
        let house = House::open(&toml).await;
        Self { house, taps }
    }

    /// Checks the ledger against all that was served; `exactly` where every answer was read to its end.
    async fn audit(&self, exactly: bool) {
        let mut all = Served::default();
        for (backend, tap) in &self.taps {
            let served = tap.served();
            let used = self.house.used_by(backend, served.calls).await;
            println!("{backend}: served {served:?}, used {used:?}");
            assert_eq!(used.complete + used.dropped, used.calls, "{backend}");
            if exactly {
                assert_eq!(used.dropped, 0, "{backend}");
                assert_eq!(used.input, served.input, "{backend}");
                assert_eq!(used.output, served.output, "{backend}");
                assert_eq!(used.unmeasured, served.unstated, "{backend}");
            } else {
                assert!(used.input <= served.input, "{backend}");
                assert!(used.output <= served.output, "{backend}");
            }
            all.calls += served.calls;
            all.output += served.output;
        }
        assert!(all.calls > 0 && all.output > 0, "nobody called: {all:?}");
    }

    fn python(&self, args: &[&str]) -> Command {
        let mut command = Command::new(provided("AIGW_TEST_PYTHON"));
        command.args(["-m", "pytest", "--quiet", "--tb=short"]);
        self.aim(command.args(args));
        command
    }

    fn node(&self, args: &[&str]) -> Command {
        provided("AIGW_TEST_NODE");
        let mut command = Command::new("node");
        command.arg("--test").args(args);
        self.aim(command.arg("openai.test.mjs"));
        command
    }

    fn aim(&self, command: &mut Command) {
        let clients = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients");
        command
            .current_dir(clients)
            .env("AIGW_BASE_URL", self.house.url())
            .env("NO_PROXY", "127.0.0.1");
    }
}

fn provided(variable: &str) -> OsString {
    std::env::var_os(variable)
        .unwrap_or_else(|| panic!("{variable} is not set: run `cargo xtask test`"))
}

#[tokio::test]
#[ignore = "needs the Python SDKs, which `cargo xtask test` installs"]
async fn python_sdks_are_served_and_their_use_is_known_exactly() {
    let scene = Scene::open().await;
    let to_the_end = "not closed_early and not newest";
    printed(&mut scene.python(&["-k", to_the_end])).await;
    scene.audit(true).await;
}

#[tokio::test]
#[ignore = "needs the Python SDKs, which `cargo xtask test` installs"]
async fn python_sdks_may_close_their_streams_early() {
    let scene = Scene::open().await;
    printed(&mut scene.python(&["-k", "closed_early"])).await;
    scene.audit(false).await;
}

#[tokio::test]
#[ignore = "needs the Python SDKs, which `cargo xtask test` installs"]
async fn the_newest_python_sdk_is_served() {
    let scene = Scene::open().await;
    printed(&mut scene.python(&["test_openai_latest.py"])).await;
    scene.audit(false).await;
}

#[tokio::test]
#[ignore = "needs the Node SDK, which `cargo xtask test` installs"]
async fn the_node_sdk_is_served_and_its_use_is_known_exactly() {
    let scene = Scene::open().await;
    printed(&mut scene.node(&["--test-name-pattern=^(?!an aborted)"])).await;
    scene.audit(true).await;
}

#[tokio::test]
#[ignore = "needs the Node SDK, which `cargo xtask test` installs"]
async fn the_node_sdk_may_abort_its_streams() {
    let scene = Scene::open().await;
    printed(&mut scene.node(&["--test-name-pattern=^an aborted"])).await;
    scene.audit(false).await;
}
