//! Budgets that a provider corrects by what it says of its own account.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use aigw_policies::{budget::Rate, token_limit::Budget};
use http_body_util::BodyExt;

use crate::house::{Answer, House, chat, delta, json, per_minute, stream, usage};

/// An answer that tells what the account has.
fn telling(mut answer: Answer, limit: u64, remaining: u64) -> Answer {
    let headers = answer.headers_mut();
    headers.insert("x-ratelimit-limit-tokens", limit.into());
    headers.insert("x-ratelimit-remaining-tokens", remaining.into());
    answer
}

#[tokio::test(start_paused = true)]
async fn the_limit_is_what_the_provider_says() {
    let budget = Budget::new("account", per_minute(1000)).follows_provider();
    let house = House::new([budget]).answering(|_| telling(usage(10, 10), 5000, 4980));
    house.call(chat(0)).await;
    let limit = house.limit.handle().budgets()[0].limit().to_owned();
    assert_eq!(limit, per_minute(5000));
    // One that does not follow has its own.
    let house = House::new([Budget::new("own", per_minute(1000))])
        .answering(|_| telling(usage(10, 10), 5000, 4980));
    let answer = house.call(chat(0)).await;
    assert_eq!(answer.headers()["x-ratelimit-limit-tokens"], "1000");
    assert_eq!(house.limit.handle().budgets()[0].limit(), &per_minute(1000));
}

#[tokio::test(start_paused = true)]
async fn a_limit_that_the_provider_says_is_overdrawn_as_deeply_as_the_one_before() {
    let minute = Duration::from_secs(60);
    let rate = Rate::try_new(1000, minute).unwrap().with_max_debt(minute);
    let budget = Budget::new("account", rate).follows_provider();
    let house = House::new([budget]).answering(|_| telling(usage(10, 10), 5000, 4980));
    house.call(chat(0)).await;
    let told = Rate::try_new(5000, minute).unwrap().with_max_debt(minute);
    let limit = *house.limit.handle().budgets()[0].limit();
    assert_eq!(limit, told.into());
}

#[tokio::test(start_paused = true)]
async fn what_others_used_of_the_account_is_taken_as_well_and_only_once() {
    let budget = Budget::new("account", per_minute(1000)).follows_provider();
    let house = House::new([budget]).answering(|_| telling(usage(10, 10), 1000, 300));
    // 950 are left with 50 held, and the provider has 300 without what the call has used.
    house.call(chat(0)).await;
    assert_eq!(house.left("account", per_minute(1000)), 300);
    // It says the same again, which is more than there is: only the call's own 20 are taken.
    house.call(chat(0)).await;
    assert_eq!(house.left("account", per_minute(1000)), 280);
}

#[tokio::test(start_paused = true)]
async fn a_provider_with_nothing_left_is_not_asked_again_before_it_can_answer() {
    let budget = Budget::new("account", per_minute(60)).follows_provider();
    let house = House::new([budget]).answering(|_| telling(json(429, "{}"), 60, 0));
    assert_eq!(house.call(chat(0)).await.status(), 429);
    // 50 were held for it, and come back: it was charged nothing.
    let refused = house.call(chat(20)).await;
    assert_eq!(refused.status(), 429);
    assert!(refused.headers().contains_key("retry-after-ms"));
}

#[tokio::test(start_paused = true)]
async fn what_was_held_for_a_call_that_the_provider_refuses_does_not_come_back_beyond_what_it_has()
{
    let asked = Arc::new(AtomicUsize::new(0));
    let budget = Budget::new("account", per_minute(1000)).follows_provider();
    let house = House::new([budget]).answering({
        let asked = Arc::clone(&asked);
        move |_| {
            asked.fetch_add(1, Ordering::Relaxed);
            telling(json(429, "{}"), 1000, 0)
        }
    });
    house.call(chat(0)).await;
    assert_eq!(house.left("account", per_minute(1000)), 0);
    // The same call again.
    let refused = house.call(chat(0)).await;
    assert!(refused.headers().contains_key("retry-after-ms"));
    assert_eq!(asked.load(Ordering::Relaxed), 1);
}

#[tokio::test(start_paused = true)]
async fn what_flows_back_while_an_answer_streams_is_not_taken_with_what_was_held_too_much() {
    let budget = Budget::new("account", per_minute(600)).follows_provider();
    let events = [
        delta(40),
        delta(40),
        r#"data: {"usage":{"prompt_tokens":10,"completion_tokens":20},"choices":[]}"#.to_owned()
            + "\n\ndata: [DONE]\n\n",
    ];
    let house = House::new([budget]).answering(move |_| telling(stream(events.to_vec()), 600, 100));
    let mut answer = house.send(chat(0)).await.into_body();
    // The provider has ten more for each second between the first content and the last.
    answer.frame().await.unwrap().unwrap();
    tokio::time::advance(Duration::from_secs(6)).await;
    answer.frame().await.unwrap().unwrap();
    answer.collect().await.unwrap();
    assert_eq!(house.left("account", per_minute(600)), 160);
}
