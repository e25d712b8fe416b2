//! What operators see and change, and what a call's record tells of its budgets.

use std::sync::Arc;

use aigw_core::{
    call::Record,
    key::{Consumer, Dimension},
};
use aigw_policies::token_limit::{Budget, Charged, HandleError};

use crate::house::{House, chat, delta, from, per_minute, stream, usage};

#[tokio::test(start_paused = true)]
async fn a_handle_shows_what_each_key_has_left() {
    let budget = Budget::new("team", per_minute(1000)).key([Dimension::Consumer]);
    let house = House::new([budget]).answering(|_| usage(100, 50));
    house.call(from(Consumer::new("a"), chat(0))).await;
    let handle = house.limit.handle();
    for (consumer, remaining) in [("a", 850), ("b", 1000)] {
        let left = handle.left("team", &[Some(consumer)]).await.unwrap();
        assert_eq!(left.unwrap().remaining, remaining, "{consumer}");
    }
    let unknown = handle.left("nobody", &[None]).await;
    assert_eq!(unknown, Err(HandleError::NoBudget("nobody".into())));
    for values in [&[][..], &[Some("a"), None]] {
        let error = handle.left("team", values).await.unwrap_err();
        let said = format!("{} values for a key that has 1", values.len());
        assert_eq!(error.to_string(), said);
    }
}

#[tokio::test(start_paused = true)]
async fn a_limit_changes_while_it_runs_and_what_was_used_stays_used() {
    let house = House::new([Budget::new("rate", per_minute(100))]).answering(|_| usage(60, 0));
    assert_eq!(house.call(chat(0)).await.status(), 200);
    assert_eq!(house.call(chat(0)).await.status(), 429);
    let handle = house.limit.handle();
    handle.set_limit("rate", per_minute(200)).unwrap();
    assert_eq!(handle.budgets()[0].limit(), &per_minute(200));
    // 40 were left, and 50 are held for a call.
    let refused = house.call(chat(0)).await;
    assert_eq!(refused.status(), 429);
    assert_eq!(refused.headers()["x-ratelimit-limit-tokens"], "200");
    // It flows in twice as fast.
    assert_eq!(refused.headers()["retry-after-ms"], "3000");
    tokio::time::advance(std::time::Duration::from_secs(3)).await;
    assert_eq!(house.call(chat(0)).await.status(), 200);
    let error = handle.set_limit("other", per_minute(1)).unwrap_err();
    assert_eq!(error, HandleError::NoBudget("other".into()));
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_under_way_is_settled_where_it_was_taken() {
    let house = House::new([Budget::new("rate", per_minute(100))]).answering(|_| usage(0, 10));
    let under_way = house.send(chat(0)).await;
    house
        .limit
        .handle()
        .set_limit("rate", per_minute(80))
        .unwrap();
    assert_eq!(house.left("rate", per_minute(80)), 50);
    let body = under_way.into_body();
    http_body_util::BodyExt::collect(body).await.unwrap();
    // 40 of the 50 that were held come back, into what holds 80.
    assert_eq!(house.left("rate", per_minute(80)), 80);
}

#[tokio::test(start_paused = true)]
async fn the_record_tells_what_each_budget_was_charged() {
    let house = House::new([
        Budget::new("tokens", per_minute(1000)),
        Budget::new("calls", per_minute(5)).calls(),
    ])
    .answering(|_| usage(300, 200));
    let mut request = chat(10);
    let record = Record::of(request.extensions_mut());
    house.call(request).await;
    let charged: Arc<Charged> = record.latest().unwrap();
    assert_eq!(
        charged.to_string(),
        "tokens: 500 tokens used, 500 tokens left of 1000 tokens per minute; \
         calls: 1 requests used, 4 requests left of 5 requests per minute"
    );
    let told = charged.charges.iter();
    let told: Vec<_> = told
        .map(|charge| (charge.budget.name(), charge.used, charge.remaining))
        .collect();
    assert_eq!(told, [("tokens", 500, Some(500)), ("calls", 1, Some(4))]);
    assert!(charged.charges.iter().all(|charge| !charge.is_degraded));
}

#[tokio::test(start_paused = true)]
async fn the_record_tells_what_is_left_where_more_was_used_than_expected() {
    let house = House::new([Budget::new("tokens", per_minute(1000))])
        .answering(|_| stream(vec![delta(400); 4]));
    let mut request = chat(100);
    let record = Record::of(request.extensions_mut());
    house.call(request).await;
    let charged: Arc<Charged> = record.latest().unwrap();
    let [charge] = &*charged.charges else {
        panic!("{charged:?}");
    };
    assert_eq!((charge.used, charge.remaining), (500, Some(500)));
}
