//! The program as it is run: what it prints and exits with.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    process::{Child, Command, Stdio},
};

const PROGRAM: &str = env!("CARGO_BIN_EXE_embed-axum");

/// Ends with the test, also with one that fails.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn who_names_no_address_is_told_how_to() {
    for args in [&["--help"][..], &["127.0.0.1:0", "too", "much"]] {
        let done = Command::new(PROGRAM).args(args).output().unwrap();
        assert_eq!(done.status.code(), Some(2));
        assert_eq!(done.stderr, b"usage: embed-axum [LISTEN]\n");
    }
}

#[test]
fn it_listens_where_it_says_and_tells_what_a_call_used() {
    let mut command = Command::new(PROGRAM);
    command.arg("127.0.0.1:0").stdout(Stdio::piped());
    let mut program = Process(command.spawn().unwrap());
    let mut said = BufReader::new(program.0.stdout.take().unwrap()).lines();
    let greeting = said.next().unwrap().unwrap();
    let address = greeting.strip_prefix("listening on http://").unwrap();

    let mut stream = TcpStream::connect(address).unwrap();
    let head = "POST /v1/chat/completions HTTP/1.1\r\nhost: us\r\nconnection: close\r\n";
    let about = "content-type: application/json\r\ncontent-length: 17\r\n\r\n";
    write!(stream, r#"{head}{about}{{"model": "ours"}}"#).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.contains("Good morning!"), "{answer}");
    let used = r#"ours used {"input": 8, "output": 3}"#;
    assert_eq!(said.next().unwrap().unwrap(), used);
}
