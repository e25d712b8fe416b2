use std::time::Duration;

use tokio::time::Instant;

use super::*;

const MS: Duration = Duration::from_millis(1);

#[tokio::test(start_paused = true)]
async fn the_head_the_first_token_and_the_others_come_in_their_time() {
    let script = json!({"wait_time_ms": 7, "ttft_ms": 100, "chunk_delay_ms": 10, "text": "a b c"});
    let start = Instant::now();
    let mut body = post(&provider(), CHAT, &scripted(&script, true))
        .await
        .into_body();
    assert_eq!(start.elapsed(), 7 * MS);
    let mut times = Vec::new();
    while let Some(frame) = body.frame().await {
        frame.unwrap();
        times.push(start.elapsed().as_millis());
    }
    // Role; three words; finish and done.
    assert_eq!(times, [7, 107, 117, 127, 127, 127]);
}

#[tokio::test(start_paused = true)]
async fn a_whole_answer_takes_as_long_as_its_stream() {
    let config = Config::default()
        .time_to_first_token(100 * MS)
        .time_per_token(10 * MS);
    let provider = provider_with(config);
    let mut ask = hello();
    let mut times = Vec::new();
    for stream in [false, true] {
        ask["stream"] = stream.into();
        let start = Instant::now();
        text(post(&provider, CHAT, &ask).await).await;
        times.push(start.elapsed());
    }
    assert_eq!(times, [140 * MS, 140 * MS]);
}
