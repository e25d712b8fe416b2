//! Many streams at once.

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full};
use tokio::process::Command;

use crate::{
    callers::Caller,
    house::{House, one_backend},
    process::Program,
    versions::http2,
};

const CONNECTIONS: usize = 5;
const STREAMS: usize = 100;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn five_hundred_open_streams_leave_no_task_behind() {
    // A process of its own, lest this one run out of files.
    let mut simulator = Program::start(&mut Command::new(env!("CARGO_BIN_EXE_simulator")));
    let url = simulator.address("listening on ").await;
    let house = House::open(&one_backend(&url, "")).await;

    let mut clients = Vec::new();
    let mut streams = Vec::new();
    for _ in 0..CONNECTIONS {
        let mut client = http2(house.address()).await;
        for _ in 0..STREAMS {
            let mut body = Caller::OpenAi.body();
            body["stream"] = true.into();
            let request = Request::post(format!("{}{}", house.url(), Caller::OpenAi.path()))
                .header("x-simulation", r#"{"default": {"hang_after_chunks": 2}}"#)
                .body(Full::new(Bytes::from(body.to_string())));
            let answer = client.send_request(request.unwrap()).await.unwrap();
            assert_eq!(answer.status(), 200);
            let mut stream = answer.into_body();
            stream.frame().await.unwrap().unwrap();
            streams.push(stream);
        }
        clients.push(client);
    }
    assert!(house.tasks() >= STREAMS * CONNECTIONS);
    assert_eq!(house.used("upstream").await.calls, 0);

    drop(streams);
    let calls = (STREAMS * CONNECTIONS) as u64;
    assert_eq!(house.used_by("upstream", calls).await.dropped, calls);
    drop(clients);
    house.quiet().await;
}
