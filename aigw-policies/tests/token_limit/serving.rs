//! Budgets by the model that answers.

use aigw_core::key::Dimension;
use aigw_policies::{
    budget::MemoryStore,
    token_limit::{Budget, ConfigError, OnOpaque, TokenLimitLayer},
};
use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::Full;

use crate::house::{Answer, House, json, per_minute, request, stream};

fn by_model() -> Budget {
    Budget::new("rate", per_minute(1000)).key([Dimension::Consumer, Dimension::Model])
}

/// Asks a model with a prompt of so many tokens.
fn ask(model: &str, tokens: u64) -> Request<Full<Bytes>> {
    request(&format!(
        r#"{{"model":"{model}","user":"{tokens}","messages":[]}}"#
    ))
}

/// An answer of this model, of 300 tokens.
fn answer(model: &str) -> Answer {
    json(
        200,
        &format!(
            r#"{{"model":"{model}","usage":{{"prompt_tokens":100,"completion_tokens":200}}}}"#
        ),
    )
}

/// What the models have left.
fn left(house: &House, models: [&str; 2]) -> [u64; 2] {
    models.map(|model| house.left_of("rate", &[None, Some(model)], per_minute(1000)))
}

#[tokio::test(start_paused = true)]
async fn what_is_used_is_charged_to_the_model_that_answers() {
    let house = House::new([by_model().by_served_model()]).answering(|_| answer("a:2025"));
    house.call(ask("router", 100)).await;
    assert_eq!(left(&house, ["router", "a:2025"]), [1000, 700]);
    // It is expected to answer again: 150 are held of it.
    let held = house.send(ask("router", 100)).await;
    assert_eq!(left(&house, ["router", "a:2025"]), [1000, 550]);
    drop(held);
    // One that asks it by its own name has the same budget.
    let refused = house.call(ask("a:2025", 800)).await;
    assert_eq!(refused.status(), StatusCode::TOO_MANY_REQUESTS);
}

#[tokio::test(start_paused = true)]
async fn a_budget_by_the_model_that_is_asked_stays_where_it_is() {
    let house = House::new([by_model()]).answering(|_| answer("a"));
    house.call(ask("router", 100)).await;
    assert_eq!(left(&house, ["router", "a"]), [700, 1000]);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_names_no_model_is_that_of_the_one_expected() {
    let house = House::new([by_model().by_served_model()]).answering(|request| {
        match request.uri().query() {
            Some(_) => stream(vec!["data: {\"choices\":[]}\n\n".into()]),
            None => answer("a"),
        }
    });
    let mut nameless = ask("router", 100);
    *nameless.uri_mut() = "/v1/chat/completions?nameless".parse().unwrap();
    house.call(nameless).await;
    // Its output is not known: the prompt's 100 alone.
    assert_eq!(left(&house, ["router", "a"]), [900, 1000]);
    house.call(ask("router", 100)).await;
    assert_eq!(left(&house, ["router", "a"]), [900, 700]);
}

#[test]
fn by_the_model_that_answers_needs_a_model_in_the_key() {
    let budget = Budget::new("rate", per_minute(10)).by_served_model();
    let error = TokenLimitLayer::try_new([budget], MemoryStore::new(), OnOpaque::Pass);
    assert!(matches!(error, Err(ConfigError::Budget(name, _)) if &*name == "rate"));
}
