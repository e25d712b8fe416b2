//! Budgets that a provider corrects by what it says of its own account.

use std::time::Duration;

use aigw_policies::{budget::Rate, token_limit::Budget};

use crate::house::{Answer, House, chat, json, per_minute, usage};

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
    // 950 are left with 50 held, and the provider has 300; of the 50 then 30 come back.
    house.call(chat(0)).await;
    assert_eq!(house.left("account", per_minute(1000)), 330);
    // It says the same again, which is more than there is: only the call's own 20 are taken.
    house.call(chat(0)).await;
    assert_eq!(house.left("account", per_minute(1000)), 310);
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
