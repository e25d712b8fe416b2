use std::time::Duration;

use aigw_core::{
    key::{Consumer, Dimension},
    usage::Kind,
};
use aigw_policies::{
    budget::{Align, Condition, Limit, Period, Quota},
    token_limit::{Budget, OnOpaque, Output, Weights},
};
use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::{BodyExt, Full};
use tokio::{task::JoinSet, time};

use crate::house::{House, chat, from, json, per_minute, request, usage};

/// The wait that a refusal states.
fn wait_of<B>(refused: &http::Response<B>) -> Duration {
    let ms = refused.headers()["retry-after-ms"].to_str().unwrap();
    Duration::from_millis(ms.parse().unwrap())
}

#[tokio::test(start_paused = true)]
async fn waiting_as_told_admits_and_a_millisecond_less_does_not() {
    let house = House::new([Budget::new("rate", per_minute(977))]);
    house.call(chat(927)).await;
    // It used 20 of what it was admitted for.
    let _held = house.send(chat(907)).await;
    let refused = house.call(chat(61)).await;
    assert_eq!(refused.status(), StatusCode::TOO_MANY_REQUESTS);
    let wait = wait_of(&refused);
    assert_eq!(
        refused.headers()["retry-after"],
        wait.as_millis().div_ceil(1000).to_string()
    );
    time::advance(wait - Duration::from_millis(1)).await;
    let refused = house.call(chat(61)).await;
    assert_eq!(wait_of(&refused), Duration::from_millis(1));
    time::advance(Duration::from_millis(1)).await;
    assert_eq!(house.call(chat(61)).await.status(), StatusCode::OK);
}

#[tokio::test(start_paused = true)]
async fn calls_that_come_at_once_are_admitted_within_the_limit() {
    let limit = per_minute(100);
    let house =
        House::new([Budget::new("rate", limit)]).limit(|limit| limit.output(Output::Tokens(0)));
    let mut waits = Vec::new();
    let mut held = Vec::new();
    for asked in [58, 80, 175, 175, 175] {
        let answer = house.send(chat(asked)).await;
        match answer.status() {
            StatusCode::OK => held.push((asked, answer)),
            // 175 never fit into 100.
            StatusCode::BAD_REQUEST => assert_eq!(asked, 175),
            _ => waits.push(wait_of(&answer)),
        }
    }
    assert_eq!(
        held.iter().map(|(asked, _)| *asked).collect::<Vec<_>>(),
        [58]
    );
    assert_eq!(waits, [Duration::from_secs_f64(38.0 * 0.6)]);
}

#[tokio::test(start_paused = true)]
async fn sixty_four_callers_use_what_the_counter_says_and_never_more_than_the_limit() {
    let limit = per_minute(5_000);
    let house = House::new([Budget::new("rate", limit)]).answering(|request| {
        let used = request.headers()["x-used"]
            .to_str()
            .unwrap()
            .parse()
            .unwrap();
        usage(used, used / 2)
    });
    let house = std::sync::Arc::new(house);
    let mut callers = JoinSet::new();
    for caller in 0..64_u64 {
        let house = std::sync::Arc::clone(&house);
        callers.spawn(async move {
            let mut admitted = 0;
            for call in 0..20_u64 {
                let used = 1 + (caller * 31 + call * 17) % 40;
                let mut request = chat(100);
                request.headers_mut().insert("x-used", used.into());
                let answer = house.send(request).await;
                let is_admitted = answer.status() == StatusCode::OK;
                // Others come while this one streams.
                tokio::task::yield_now().await;
                if is_admitted {
                    http_body_util::BodyExt::collect(answer.into_body())
                        .await
                        .unwrap();
                    admitted += used + used / 2;
                }
            }
            admitted
        });
    }
    let used: u64 = callers.join_all().await.into_iter().sum();
    assert!(used <= 5_000, "{used}");
    assert_eq!(house.left("rate", limit), 5_000 - used);
}

#[tokio::test(start_paused = true)]
async fn what_can_never_fit_is_told_so_and_not_to_try_again() {
    let house = House::new([Budget::new("small", per_minute(1000))]);
    let refused = house.call(chat(1150)).await;
    assert_eq!(refused.status(), StatusCode::BAD_REQUEST);
    assert_eq!(refused.headers()["x-should-retry"], "false");
    assert!(!refused.headers().contains_key("retry-after"));
    let error: serde_json::Value = serde_json::from_slice(refused.body()).unwrap();
    assert_eq!(error["error"]["code"], "request_exceeds_limit");
    let message = error["error"]["message"].as_str().unwrap();
    assert!(
        message.contains("needs about 1150 tokens for its prompt: more than budget `small`"),
        "{message}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_refusal_names_its_budget_and_consumes_nothing_of_the_others() {
    let wide = per_minute(10_000);
    let quota: Limit = Quota::try_new(100, Period::Day, Align::Utc).unwrap().into();
    let house = House::new([Budget::new("wide", wide), Budget::new("daily", quota)]);
    assert_eq!(house.call(chat(40)).await.status(), StatusCode::OK);
    let refused = house.call(chat(80)).await;
    assert_eq!(refused.status(), StatusCode::TOO_MANY_REQUESTS);
    let error: serde_json::Value = serde_json::from_slice(refused.body()).unwrap();
    assert_eq!(error["error"]["code"], "insufficient_quota");
    let message = error["error"]["message"].as_str().unwrap();
    assert!(
        message.starts_with("budget `daily` (100 tokens per day) has 80 tokens left"),
        "{message}"
    );
    assert_eq!(house.left("wide", wide), 9_980);
    assert_eq!(house.left("daily", quota), 80);
}

#[tokio::test(start_paused = true)]
async fn a_quota_can_answer_as_the_reference_does() {
    let quota = Quota::try_new(60, Period::Day, Align::Utc).unwrap();
    let house = House::new([Budget::new("daily", quota)])
        .limit(|limit| limit.quota_status(StatusCode::FORBIDDEN).unwrap());
    house.call(chat(10)).await;
    assert_eq!(house.call(chat(40)).await.status(), StatusCode::FORBIDDEN);
}

#[tokio::test(start_paused = true)]
async fn who_leaves_a_key_out_shares_a_budget_with_all_who_do() {
    let limit = per_minute(100);
    let by_team = Budget::new("team", limit).key([
        Dimension::Header("x-team".parse().unwrap()),
        Dimension::Consumer,
    ]);
    let house = House::new([by_team]);
    let as_team = |team: &'static str| {
        let mut request = chat(10);
        request
            .headers_mut()
            .insert("x-team", team.parse().unwrap());
        request
    };
    for request in [as_team("a"), as_team("b"), chat(10), chat(0)] {
        assert_eq!(house.call(request).await.status(), StatusCode::OK);
    }
    let left = |team| house.left_of("team", &[team, None], limit);
    assert_eq!((left(Some("a")), left(Some("b")), left(None)), (80, 80, 60));
}

#[tokio::test(start_paused = true)]
async fn a_budget_holds_where_its_conditions_do() {
    let limit = per_minute(100);
    let gold = Budget::new("gold", limit)
        .key([Dimension::Consumer])
        .when(Condition::value(Dimension::Label("tier".into()), "gold").and(Dimension::Model, "m"));
    let house = House::new([gold]);
    let consumer = |id: &str, tier: &str| Consumer::new(id).label("tier", tier);
    house.call(from(consumer("a", "gold"), chat(10))).await;
    house.call(from(consumer("b", "silver"), chat(10))).await;
    let other = request(r#"{"model":"other","user":"10","messages":[]}"#);
    house.call(from(consumer("a", "gold"), other)).await;
    assert_eq!(house.left_of("gold", &[Some("a")], limit), 80);
    assert_eq!(house.store.keys(), 1);
}

#[tokio::test(start_paused = true)]
async fn kinds_of_tokens_count_by_their_weights() {
    let limit = per_minute(10_000);
    let weights = Weights::default().set(Kind::CachedInput, 0.1).unwrap();
    let house = House::new([Budget::new("rate", limit).weights(weights)]).answering(|_| {
        json(200, r#"{"usage":{"prompt_tokens":1000,"completion_tokens":7,"prompt_tokens_details":{"cached_tokens":900}}}"#)
    });
    house.call(chat(0)).await;
    assert_eq!(house.left("rate", limit), 10_000 - (100 + 90 + 7));
}

#[tokio::test(start_paused = true)]
async fn calls_can_be_counted_in_place_of_tokens() {
    let limit = per_minute(2);
    let house = House::new([Budget::new("calls", limit).calls()]);
    for expected in [200, 200, 429] {
        let answer = house.call(chat(1_000_000)).await;
        assert_eq!(answer.status(), expected);
    }
}

#[tokio::test(start_paused = true)]
async fn calls_without_tokens_are_calls_all_the_same() {
    let house = House::new([
        Budget::new("tokens", per_minute(100)),
        Budget::new("calls", per_minute(2)).calls(),
    ]);
    for expected in [200, 200, 429] {
        let models = Request::get("/v1/models").body(Full::<Bytes>::default());
        assert_eq!(house.call(models.unwrap()).await.status(), expected);
    }
    assert_eq!(house.left("tokens", per_minute(100)), 100);
}

#[tokio::test(start_paused = true)]
async fn calls_without_tokens_pass_whatever_is_left() {
    let limit = per_minute(100);
    let house = House::new([Budget::new("rate", limit)]);
    let _held = house.send(chat(50)).await;
    let models = Request::get("/v1/models")
        .body(Full::<Bytes>::default())
        .unwrap();
    assert_eq!(house.call(models).await.status(), StatusCode::OK);
    let empty = chat(0);
    assert_eq!(
        house.call(empty).await.status(),
        StatusCode::TOO_MANY_REQUESTS
    );
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_read_is_done_with_as_chosen() {
    let upload = || {
        Request::post("/v1/audio/transcriptions")
            .header("content-type", "multipart/form-data; boundary=b")
            .body(Full::<Bytes>::from("--b\r\ncontent-disposition: form-data; name=\"model\"\r\n\r\nwhisper-1\r\n--b--\r\n"))
            .unwrap()
    };
    let limit = per_minute(100);
    for (choice, status, left) in [
        (OnOpaque::Pass, 200, 98),
        (OnOpaque::Charge(30), 200, 68),
        (OnOpaque::Refuse, 403, 100),
    ] {
        let house = House::with([Budget::new("rate", limit)], choice)
            .answering(|_| json(200, r#"{"text":"hello"}"#));
        assert_eq!(house.call(upload()).await.status(), status, "{choice:?}");
        assert_eq!(house.left("rate", limit), left, "{choice:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_guess_refuses_nobody_for_good() {
    let limit = per_minute(600);
    for output in [Output::Learned, Output::Tokens(5000)] {
        let house = House::new([Budget::new("rate", limit)]).limit(|limit| limit.output(output));
        assert_eq!(
            house.call(chat(100)).await.status(),
            StatusCode::OK,
            "{output:?}"
        );
        // It held the whole limit: who comes meanwhile waits.
        assert_eq!(house.left("rate", limit), 580);
        let _held = house.send(chat(0)).await;
        let refused = house.call(chat(100)).await;
        assert_eq!(
            refused.status(),
            StatusCode::TOO_MANY_REQUESTS,
            "{output:?}"
        );
        assert!(wait_of(&refused) <= Duration::from_secs(60));
    }
    // The caller's own cap is no guess.
    let house =
        House::new([Budget::new("rate", limit)]).limit(|limit| limit.output(Output::ClientCap));
    let capped = request(r#"{"model":"m","user":"1","max_tokens":600,"messages":[]}"#);
    assert_eq!(house.call(capped).await.status(), StatusCode::BAD_REQUEST);
}

#[tokio::test(start_paused = true)]
async fn a_guess_keeps_nobody_out_until_a_period_ends() {
    let quota: Limit = Quota::try_new(100, Period::Day, Align::Utc).unwrap().into();
    let house = House::new([Budget::new("daily", quota)]);
    for left in [80, 60, 40, 20] {
        // 50 are expected of each answer, and at last there are fewer.
        assert_eq!(house.call(chat(15)).await.status(), StatusCode::OK);
        assert_eq!(house.left("daily", quota), left);
    }
    let held = house.send(chat(15)).await;
    assert_eq!(held.status(), StatusCode::OK);
    assert_eq!(house.left("daily", quota), 0, "all that was left is held");
    let refused = house.call(chat(15)).await;
    assert_eq!(refused.status(), StatusCode::TOO_MANY_REQUESTS);
    // Nor is anybody let in whose prompt alone is too much.
    held.into_body().collect().await.unwrap();
    assert_eq!(house.left("daily", quota), 0);
    let refused = house.call(chat(0)).await;
    assert_eq!(refused.status(), StatusCode::TOO_MANY_REQUESTS);
}

#[tokio::test(start_paused = true)]
async fn a_guess_is_waited_for_where_a_rate_can_hold_it() {
    let limit = per_minute(60);
    let house = House::new([Budget::new("rate", limit)]);
    assert_eq!(house.call(chat(10)).await.status(), StatusCode::OK);
    // 40 are left, and 55 are asked.
    let refused = house.call(chat(5)).await;
    assert_eq!(refused.status(), StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(wait_of(&refused), Duration::from_secs(15));
    let message = String::from_utf8(refused.body().to_vec()).unwrap();
    assert!(
        message.contains(
            "budget `rate` (60 tokens per minute) has 40 tokens left, and the request needs about \
             5 tokens for its prompt and 50 tokens expected for its answer; it fits in 15s"
        ),
        "{message}"
    );
    // With 15 it is 65, which the rate never has: what is left will do.
    assert_eq!(house.call(chat(15)).await.status(), StatusCode::OK);
}

#[tokio::test(start_paused = true)]
async fn a_wait_is_as_long_as_the_prompt_needs_where_a_guess_is_not_waited_for() {
    let quota: Limit = Quota::try_new(100, Period::Day, Align::Rolling)
        .unwrap()
        .into();
    let house = House::new([Budget::new("daily", quota)]).answering(|_| usage(10, 40));
    assert_eq!(house.call(chat(10)).await.status(), StatusCode::OK);
    tokio::time::sleep(Duration::from_secs(6 * 3600)).await;
    assert_eq!(house.call(chat(10)).await.status(), StatusCode::OK);
    let refused = house.call(chat(20)).await;
    let wait = wait_of(&refused);
    // The first 50 come back with the last of their part of the day, a 23rd; for 21 those are
    // enough, for 70 they were not.
    let latest = Duration::from_secs(18 * 3600 + 24 * 3600 / 23 + 1);
    assert!(wait <= latest, "{wait:?}");
    tokio::time::sleep(wait).await;
    assert_eq!(house.call(chat(20)).await.status(), StatusCode::OK);
}

#[tokio::test(start_paused = true)]
async fn what_a_cap_allows_is_held_by_the_weight_of_its_dearest_tokens() {
    let limit = per_minute(1000);
    let weights = Weights::default().set(Kind::Reasoning, 4.0).unwrap();
    let house = House::new([Budget::new("rate", limit).weights(weights)])
        .limit(|limit| limit.output(Output::ClientCap));
    let capped = || request(r#"{"model":"m","user":"0","max_tokens":200,"messages":[]}"#);
    let held = house.send(capped()).await;
    assert_eq!(
        (held.status(), house.left("rate", limit)),
        (StatusCode::OK, 200)
    );
    assert_eq!(
        house.call(capped()).await.status(),
        StatusCode::TOO_MANY_REQUESTS
    );
}

#[tokio::test(start_paused = true)]
async fn uploads_are_refused_only_where_their_tokens_would_be_counted() {
    let upload = || {
        Request::post("/v1/files")
            .body(Full::<Bytes>::from("?"))
            .unwrap()
    };
    let calls = Budget::new("calls", per_minute(100)).calls();
    let others =
        Budget::new("others", per_minute(100)).when(Condition::value(Dimension::Model, "other"));
    for (budget, status) in [
        (calls, StatusCode::OK),
        (others, StatusCode::OK),
        (
            Budget::new("tokens", per_minute(100)),
            StatusCode::FORBIDDEN,
        ),
    ] {
        let house = House::with([budget], OnOpaque::Refuse);
        assert_eq!(house.call(upload()).await.status(), status);
    }
}

#[tokio::test(start_paused = true)]
async fn a_cap_holds_for_every_answer_that_is_written() {
    let limit = per_minute(10_000);
    for (asks, answers) in [
        (r#""prompt":"a""#, 1),
        (r#""prompt":"a","n":3"#, 3),
        (r#""prompt":"a","n":2,"best_of":5"#, 5),
        (r#""prompt":["a","b","c"],"n":2"#, 6),
        (r#""prompt":[[1,2],[3]]"#, 2),
        (r#""prompt": [ 1, 2, 3 ]"#, 1),
        (r#""prompt":[]"#, 1),
    ] {
        let house =
            House::new([Budget::new("rate", limit)]).limit(|limit| limit.output(Output::ClientCap));
        let body = format!(r#"{{"model":"m","user":"0","max_tokens":100,{asks}}}"#);
        let mut request = request(&body);
        *request.uri_mut() = "/v1/completions".parse().unwrap();
        let _held = house.send(request).await;
        assert_eq!(house.left("rate", limit), 10_000 - 100 * answers, "{asks}");
    }
}
