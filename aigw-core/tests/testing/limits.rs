use std::time::Duration;

use super::*;

#[tokio::test(start_paused = true)]
async fn beyond_its_tokens_per_minute_it_says_when_to_come_back() {
    let provider = provider_with(Config::default().tokens_per_minute(60));
    let ask = scripted(&json!({"usage": {"input": 30, "output": 20}}), false);
    let first = post(&provider, CHAT, &ask).await;
    assert_eq!(first.status(), 200);
    assert_eq!(first.headers()["x-ratelimit-remaining-tokens"], "10");
    let second = post(&provider, CHAT, &ask).await;
    assert_eq!(second.status(), 429);
    assert_eq!(second.headers()["retry-after"], "40");
    assert_eq!(second.headers()["retry-after-ms"], "40000");
    assert_eq!(object(second).await["error"]["code"], "rate_limit_exceeded");
    tokio::time::advance(Duration::from_secs(40)).await;
    assert_eq!(post(&provider, CHAT, &ask).await.status(), 200);
}

#[tokio::test]
async fn a_body_above_the_bound_is_refused() {
    let provider = provider_with(Config::default().max_body_bytes(8));
    assert_eq!(post(&provider, CHAT, &hello()).await.status(), 413);
}

#[tokio::test]
async fn attempts_advance_for_each_script_and_provider() {
    let (one, other) = (provider(), provider());
    let steps = json!([{"response_status_code": 503}, {"response_status_code": 200}]);
    let ask = scripted(&json!({"sequence": steps}), false);
    let twin = scripted(&json!({"sequence": steps, "id": "twin"}), false);
    let mut seen = Vec::new();
    for (provider, ask) in [(&one, &ask), (&one, &ask), (&one, &twin), (&other, &ask)] {
        seen.push(post(provider, CHAT, ask).await.status().as_u16());
    }
    assert_eq!(seen, [503, 200, 503, 503]);
}
