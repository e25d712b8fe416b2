use std::time::Duration;

use aigw_core::testing::{
    contract::drops::{self, Left},
    provider::Fate,
};
use http_body::Body;

use super::*;

/// The frames of a stream under a script, and whether an error ended them.
async fn frames(script: Value) -> (Vec<String>, bool) {
    let mut body = post(&provider(), CHAT, &scripted(&script, true))
        .await
        .into_body();
    let mut frames = Vec::new();
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else {
            return (frames, true);
        };
        frames.push(String::from_utf8(frame.into_data().unwrap().to_vec()).unwrap());
    }
    (frames, false)
}

#[tokio::test]
async fn a_stream_breaks_ends_or_errs_after_so_many_events() {
    let (whole, failed) = frames(json!({"text": "one two three"})).await;
    assert!(
        !failed && whole.len() == 6,
        "role, three words, finish, done"
    );

    let (cut, failed) = frames(json!({"text": "one two three", "drop_after_chunks": 2})).await;
    assert!(failed && cut.len() == 2);
    let (cut, failed) = frames(json!({"text": "one two three", "end_after_chunks": 2})).await;
    assert!(!failed && cut.len() == 2);
    let (cut, failed) = frames(json!({"text": "one two three", "error_after_chunks": 2})).await;
    assert!(!failed && cut.len() == 3 && cut[2].contains(r#""error""#));
    let (odd, failed) = frames(json!({"text": "one two three", "malformed_after_chunks": 2})).await;
    assert!(!failed && odd.len() == 7 && odd[2].ends_with("brok\n\n"));
    let (undone, _) = frames(json!({"text": "one two three", "done": false})).await;
    assert_eq!(undone.len(), 5);
}

#[tokio::test]
async fn the_same_bytes_come_in_pieces_of_any_size() {
    let whole = frames(json!({"id": "x", "text": "Grüße"})).await.0.concat();
    let mut body = post(
        &provider(),
        CHAT,
        &scripted(&json!({"id": "x", "text": "Grüße", "chunk_bytes": 7}), true),
    )
    .await
    .into_body();
    let mut bytes = Vec::new();
    while let Some(frame) = body.frame().await {
        let data = frame.unwrap().into_data().unwrap();
        assert!(data.len() <= 7);
        bytes.extend_from_slice(&data);
    }
    let stream = String::from_utf8(bytes).unwrap();
    // The second in which they were made may differ.
    let undated = |stream: &str| stream.replace(|c: char| c.is_ascii_digit(), "");
    assert_eq!(undated(&stream), undated(&whole));
}

#[tokio::test]
async fn framing_takes_every_liberty_of_the_format() {
    let script = json!({"text": "a", "line_ending": "crlf", "bom": true, "comments": true});
    let stream = frames(script).await.0.concat();
    assert!(stream.starts_with("\u{feff}: keep-alive\r\n\r\ndata: {"));
    assert!(!stream.replace("\r\n", "").contains('\n'));
}

#[tokio::test(start_paused = true)]
async fn a_hanging_stream_says_nothing_more() {
    let provider = provider();
    let ask = scripted(&json!({"hang_after_chunks": 1}), true);
    let mut body = post(&provider, CHAT, &ask).await.into_body();
    assert!(body.frame().await.unwrap().is_ok());
    let day = Duration::from_secs(86_400);
    assert!(tokio::time::timeout(day, body.frame()).await.is_err());
    assert_eq!(
        (provider.in_flight(), provider.calls()[0].fate),
        (1, Fate::InFlight)
    );
    drop(body);
    assert_eq!(
        (provider.in_flight(), provider.calls()[0].fate),
        (0, Fate::Dropped)
    );
}

#[tokio::test]
async fn the_log_tells_what_reached_the_provider_and_how_it_ended() {
    let provider = provider();
    let answer = post(&provider, CHAT, &hello()).await;
    assert_eq!(provider.in_flight(), 1);
    // A reader that knows the length never polls past it.
    let mut body = answer.into_body();
    body.frame().await.unwrap().unwrap();
    assert!(body.is_end_stream());
    assert_eq!(provider.in_flight(), 0);
    let _ = post(
        &provider,
        CHAT,
        &scripted(&json!({"drop_after_chunks": 0}), true),
    )
    .await
    .into_body()
    .collect()
    .await
    .unwrap_err();
    let calls = provider.calls();
    assert_eq!(
        (calls[0].path(), calls[0].json()),
        ("/v1/chat/completions", Some(hello()))
    );
    assert_eq!(
        calls.iter().map(|call| call.fate).collect::<Vec<_>>(),
        [Fate::Finished, Fate::Broken]
    );
}

#[tokio::test]
async fn the_log_is_bounded() {
    let provider = provider_with(Config::default().kept_calls(2));
    for _ in 0..5 {
        post(&provider, CHAT, &hello()).await;
    }
    assert_eq!((provider.calls().len(), provider.in_flight()), (2, 0));
}

#[tokio::test(start_paused = true)]
async fn a_drop_at_any_point_releases_the_call() {
    let config = Config::default().time_per_token(Duration::from_millis(5));
    let provider = provider_with(config);
    let mut ask = hello();
    ask["stream"] = true.into();
    let call = || {
        let request = Request::post(CHAT)
            .body(Full::<Bytes>::from(ask.to_string()))
            .unwrap();
        provider.clone().oneshot(request)
    };
    let mut ends = 0;
    let check = |left| {
        assert_eq!(provider.in_flight(), 0);
        ends += usize::from(left == Left::AtItsEnd);
    };
    drops::at_every_poll(call, check).await;
    assert_eq!(ends, 1);
}
