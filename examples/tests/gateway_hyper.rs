//! The gateway on bare hyper, as a process.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
};

use aigw_backends::client::{Client, Config};
use aigw_examples::lab;
use serde_json::json;
use tower::ServiceExt;

const CONFIG: &str = r#"
    [server]
    listen = "127.0.0.1:0"

    [[simulator]]
    id = "near"
    listen = "127.0.0.1:0"

    [[backend]]
    id = "near"
    simulator = "near"
    dialect = "openai"

    [[route]]
    model = ["gpt-*"]
    backends = ["near"]
"#;

/// Ends with the test, also with one that fails.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
    }
}

#[cfg(unix)]
#[tokio::test]
async fn it_listens_where_it_says_serves_and_goes_down_when_it_is_told_to() {
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("gateway_hyper.toml");
    fs::write(&file, CONFIG).unwrap();
    let gateway = Command::new(env!("CARGO_BIN_EXE_gateway_hyper"))
        .arg("--config")
        .arg(file)
        .stdout(Stdio::piped())
        .spawn();
    let mut gateway = Process(gateway.unwrap());
    let mut said = String::new();
    BufReader::new(gateway.0.stdout.take().unwrap())
        .read_line(&mut said)
        .unwrap();
    let address = said.trim().strip_prefix("listening on ").unwrap();

    let client = Client::try_new(Config::default()).unwrap();
    let hello = json!({"role": "user", "content": "Hello!"});
    let body = json!({"model": "gpt-4o", "messages": [hello]}).to_string();
    let request = lab::post(&format!("{address}/v1/chat/completions"), body).unwrap();
    let answer = lab::json(client.oneshot(request).await.unwrap())
        .await
        .unwrap();
    assert_eq!(
        answer["choices"][0]["message"]["content"],
        "You said: Hello!"
    );

    let told = Command::new("kill")
        .arg(gateway.0.id().to_string())
        .status()
        .unwrap();
    assert!(told.success());
    assert!(gateway.0.wait().unwrap().success());
}
