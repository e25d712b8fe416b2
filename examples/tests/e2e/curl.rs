//! The `curl` of the system calls the gateway, also by the commands that it prints itself.

use std::io::Write;

use tokio::process::Command;

use crate::{
    callers::Caller,
    house::{House, every_dialect},
    process::{Program, file, gateway, output, printed},
};

/// Runs `curl` against a gateway, with a body for the chat of OpenAI's.
async fn curl(house: &House, args: &[&str], path: &str) -> String {
    let mut command = Command::new("curl");
    command.args([
        "--silent",
        "--show-error",
        "--noproxy",
        "*",
        "--max-time",
        "20",
    ]);
    command.args(args).arg(format!("{}{path}", house.url()));
    printed(&mut command).await
}

const JSON: &str = "content-type: application/json";

fn body(stream: bool) -> String {
    let mut body = Caller::OpenAi.body();
    body["stream"] = stream.into();
    body.to_string()
}

#[tokio::test]
#[ignore = "needs curl"]
async fn curl_chats_in_every_version_of_http() {
    let house = House::open(&every_dialect("")).await;
    for (version, status) in [
        ("--http1.0", "HTTP/1.0 200 OK"),
        ("--http1.1", "HTTP/1.1 200 OK"),
        ("--http2-prior-knowledge", "HTTP/2 200"),
    ] {
        let args = ["--include", version, "-H", JSON, "-d", &body(false)];
        let answer = curl(&house, &args, Caller::OpenAi.path()).await;
        assert!(answer.starts_with(status), "{answer}");
        assert!(answer.contains("You said: Hello!"), "{answer}");

        let args = ["--no-buffer", version, "-H", JSON, "-d", &body(true)];
        let answer = curl(&house, &args, Caller::OpenAi.path()).await;
        assert!(answer.starts_with("data: {"), "{answer}");
        assert!(answer.ends_with("data: [DONE]\n\n"), "{answer}");
    }
    assert_eq!(house.used_by("openai", 6).await.complete, 6);
}

#[tokio::test]
#[ignore = "needs curl"]
async fn curl_is_told_the_right_method() {
    let house = House::open(&every_dialect("")).await;
    let answer = curl(&house, &["--include"], Caller::OpenAi.path()).await;
    assert!(
        answer.starts_with("HTTP/1.1 405 Method Not Allowed"),
        "{answer}"
    );
    assert!(answer.contains("allow: POST"), "{answer}");
}

#[tokio::test]
#[ignore = "needs curl"]
async fn curl_asks_before_it_uploads_too_much_and_then_does_not() {
    let house = House::open(&every_dialect("max_body_bytes = 65536")).await;
    let path = file("curl-large.json", "");
    let mut large = std::fs::File::create(&path).unwrap();
    large.write_all(&[b' '; 1 << 20]).unwrap();
    let upload = format!("@{}", path.display());
    let args = [
        "-H",
        JSON,
        "-H",
        "expect: 100-continue",
        "--expect100-timeout",
        "20",
        "--write-out",
        "\n%{http_code} %{size_upload}",
        "--data-binary",
        &upload,
    ];
    let answer = curl(&house, &args, Caller::OpenAi.path()).await;
    assert!(answer.contains("request_too_large"), "{answer}");
    assert!(answer.ends_with("\n413 0"), "{answer}");
}

#[tokio::test]
#[ignore = "needs curl"]
async fn the_commands_that_the_gateway_prints_work() {
    let mut gateway = Program::start(&mut gateway(&["--listen", "127.0.0.1:0"]));
    let address = gateway.address("listening on ").await;
    gateway.address("admin on http://").await;
    try_out(&mut gateway, &address).await;
}

#[tokio::test]
#[ignore = "needs curl"]
async fn without_arguments_it_listens_on_8080_or_says_that_it_cannot() {
    let mut command = gateway(&[]);
    let mut gateway = Program::start(&mut command);
    if let Some(line) = gateway.line().await {
        assert_eq!(line, "listening on http://127.0.0.1:8080");
        gateway.address("admin on http://").await;
        try_out(&mut gateway, "http://127.0.0.1:8080").await;
        return;
    }
    let output = output(&mut command).await;
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(
        error.starts_with("server.listen: 127.0.0.1:8080: "),
        "{error}"
    );
    assert_eq!(output.status.code(), Some(1));
}

/// Runs the three commands that a gateway prints, as they stand.
async fn try_out(gateway: &mut Program, url: &str) {
    let (mut commands, mut command) = (Vec::new(), String::new());
    while commands.len() < 3 {
        let line = gateway.line().await.expect("another command");
        if line.trim().starts_with("curl ") || !command.is_empty() {
            command += &line;
            command.push('\n');
        }
        if line.is_empty() && !command.is_empty() {
            commands.push(std::mem::take(&mut command));
        }
    }
    for command in &commands {
        assert!(command.contains(url), "{command}");
        let answer = printed(
            Command::new("sh")
                .env("NO_PROXY", "127.0.0.1")
                .args(["-c", command]),
        )
        .await;
        let streams = command.contains(r#""stream": true"#);
        let said = if streams {
            "data: [DONE]"
        } else {
            "You said: Hello!"
        };
        assert!(answer.contains(said), "{command}: {answer}");
    }
}
