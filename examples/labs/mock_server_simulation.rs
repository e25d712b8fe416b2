//! Mock server simulation: one request body drives failures by host, in the message format of the
//! mock server of the labs, and each answer is classified as breakers, balancers and retries see it.
//!
//! `cargo run -p aigw-examples --example mock_server_simulation`. Time is virtual: the lab takes no
//! longer than its work.
#![expect(
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a lab shows what it finds, and fails where it does not find it"
)]

use std::time::{Duration, SystemTime};

use aigw_core::{
    BoxError, around,
    meter::{Ended, ReportLayer},
    outcome::{Fault, Outcome},
    rt::Tokio,
    testing::Provider,
};
use aigw_examples::lab;
use serde_json::json;
use tokio::time::Instant;
use tower::{Layer, ServiceExt};

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> Result<(), BoxError> {
    // The script stands where the system's words belong. Each field that a host's entry lacks is
    // taken from `default`.
    let script = json!({"simulation": {
        "default": {"response_status_code": 200, "wait_time_ms": 0},
        "throttled.test": {"response_status_code": 429},
        "broken.test": {"response_status_code": 500, "wait_time_ms": 250},
        "overloaded.test": {"response_status_code": 503, "wait_time_ms": 700},
        // Beyond the reference: headers, with a hint in whichever form.
        "busy.test": {"response_status_code": 503, "headers": {"retry-after": "20"}},
        "slow.test": {"wait_time_ms": 3000},
    }});
    let system = json!({"role": "system", "content": script});
    let body = json!({"messages": [system, {"role": "user", "content": "Hello!"}]}).to_string();

    let throttled = |seconds| Outcome::Throttled(Duration::from_secs(seconds));
    let expected = [
        ("anywhere.test", 200, 0, Outcome::Success),
        // `retry_after_ms: 5000`, with underscores, is the hint of that server, and its only one.
        ("throttled.test", 429, 0, throttled(5)),
        ("broken.test", 500, 250, Outcome::Failure),
        // Without a hint there is no time to stay away for, so it counts as any other failure.
        ("overloaded.test", 503, 700, Outcome::Failure),
        ("busy.test", 503, 0, throttled(20)),
        ("slow.test", 200, 3000, Outcome::Success),
    ];

    let report = ReportLayer::new(|ended: &Ended<'_>| {
        println!("    {:?}, {:?}", ended.ending, ended.meter.usage());
    });
    let gateway = around(report).layer(Provider::new(Tokio));
    for (host, status, wait_ms, outcome) in expected {
        let path = "openai/deployments/gpt-4o/chat/completions?api-version=2024-10-21";
        let request = lab::post(&format!("http://{host}/{path}"), body.clone())?;
        let begun = Instant::now();
        let answer = gateway.clone().oneshot(request).await?;

        let fault = answer.extensions().get::<Fault>();
        let found = Outcome::classify(answer.status(), answer.headers(), fault, SystemTime::now());
        let waited = begun.elapsed();
        println!("{host}: {} after {waited:?}: {found:?}", answer.status());
        assert_eq!((answer.status().as_u16(), found), (status, outcome));
        assert_eq!(waited, Duration::from_millis(wait_ms));
        assert_eq!(answer.headers()["x-ms-region"], host);

        let said = lab::json(answer).await?;
        if status == 200 {
            let text = format!("Mock response from {host}");
            assert_eq!(said["choices"][0]["message"]["content"], *text);
        } else {
            assert_eq!(said["error"]["code"], *status.to_string());
        }
    }
    Ok(())
}

#[test]
fn the_lab_finds_what_it_says() -> Result<(), BoxError> {
    main()
}
