//! The program as it is run: what it sends, prints and exits with.

use std::{
    io::{BufRead, BufReader, Write},
    net::TcpListener,
    process::Command,
    thread,
};

/// Runs the program: its exit code, what it printed, and what it said on stderr.
fn run(args: &[&str]) -> (Option<i32>, String, String) {
    let done = Command::new(env!("CARGO_BIN_EXE_embed-async-openai"))
        .args(args)
        .env("OPENAI_API_KEY", "sk-ours")
        .output()
        .unwrap();
    let [out, err] = [done.stdout, done.stderr].map(|text| String::from_utf8(text).unwrap());
    (done.status.code(), out, err)
}

#[test]
fn who_asks_for_nothing_is_told_how_to() {
    for args in [
        &[][..],
        &["https://provider.test"],
        &["provider.test", "Hi"],
    ] {
        let usage = "usage: embed-async-openai BASE-URL TEXT\n";
        assert_eq!(run(args), (Some(2), String::new(), usage.to_owned()));
    }
}

#[test]
fn a_key_is_shown_and_a_refusal_is_a_failure() {
    let provider = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}/v1", provider.local_addr().unwrap());
    let asked = thread::spawn(move || {
        let (mut stream, _) = provider.accept().unwrap();
        let lines = BufReader::new(stream.try_clone().unwrap()).lines();
        let head = lines
            .map(Result::unwrap)
            .take_while(|line| !line.is_empty());
        let head: Vec<String> = head.collect();
        let body = r#"{"error": {"message": "no such key"}}"#;
        let length = body.len();
        let head_back = "HTTP/1.1 401 Unauthorized\r\ncontent-type: application/json\r\n";
        write!(stream, "{head_back}content-length: {length}\r\n\r\n{body}").unwrap();
        head
    });
    let (code, out, err) = run(&[&base, "Hi"]);
    assert_eq!((code, &*out), (Some(1), ""), "{err}");
    assert!(err.ends_with("401 Unauthorized no such key\n"), "{err}");
    let head = asked.join().unwrap();
    assert!(
        head.iter()
            .any(|line| line == "authorization: Bearer sk-ours")
    );
}
