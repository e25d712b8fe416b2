use aigw_policies::{budget::MemoryStore, token_limit::Config};
use serde_json::{Value, json};

fn read(config: Value) -> Result<(), String> {
    let config: Config = serde_json::from_value(config).map_err(|error| error.to_string())?;
    let layer = config.layer(MemoryStore::new());
    layer.map(drop).map_err(|error| error.to_string())
}

fn with(budget: Value) -> Result<(), String> {
    read(json!({ "estimate": "off", "opaque": "pass", "budget": [budget] }))
}

#[test]
fn every_form_of_a_budget_is_read() {
    for budget in [
        json!({ "name": "b", "tokens_per_minute": 1 }),
        json!({ "name": "b", "tokens": 1, "per": "90s", "key": ["consumer", "header:x-team"] }),
        json!({ "name": "b", "requests": 1, "per": "1s", "when": { "label:tier": "gold" } }),
        json!({ "name": "b", "quota": 1, "period": "week", "align": "rolling" }),
        json!({ "name": "b", "tokens_per_minute": 1, "quota": 1, "period": "year",
                "weights": { "cached_input": 0.1 } }),
    ] {
        assert_eq!(with(budget.clone()), Ok(()), "{budget}");
    }
}

#[test]
fn streams_are_stopped_only_where_it_is_written() {
    let config = |stops: Value| {
        let budget = json!([{ "name": "b", "tokens_per_minute": 1 }]);
        let mut config = json!({ "estimate": "off", "opaque": "pass", "budget": budget });
        if !stops.is_null() {
            config["stop_streams"] = stops;
        }
        serde_json::from_value::<Config>(config).map(|config| config.stop_streams)
    };
    assert!(!config(Value::Null).unwrap());
    assert!(config(json!(true)).unwrap());
    assert!(config(json!("yes")).is_err());
}

#[test]
fn a_budget_that_cannot_take_effect_is_named_with_the_reason() {
    for (budget, reason) in [
        (
            json!({ "name": "b" }),
            "budget `b`: it has neither a rate nor a quota",
        ),
        (
            json!({ "name": "b", "tokens": 1 }),
            "budget `b`: a rate is either",
        ),
        (
            json!({ "name": "b", "tokens": 1, "per": "10ms" }),
            "a rate is for a second or longer",
        ),
        (
            json!({ "name": "b", "tokens_per_minute": 1, "per": "1s" }),
            "a rate is either",
        ),
        (
            json!({ "name": "b", "tokens_per_minute": 1, "when": {} }),
            "budget `b`: `when` names no value",
        ),
        (
            json!({ "name": "b", "tokens_per_minute": 0 }),
            "a limit of 0 would admit nothing",
        ),
        (
            json!({ "name": "b", "quota": 1 }),
            "`quota` and `period` go together",
        ),
        (
            json!({ "name": "b", "tokens_per_minute": 1, "align": "utc" }),
            "`align` is for a `quota`",
        ),
        (
            json!({ "name": "b", "quota": 1, "period": "minute" }),
            "unknown variant `minute`",
        ),
        (
            json!({ "name": "b", "tokens_per_minute": 1, "weights": { "thought": 1.0 } }),
            "there is no kind of token `thought`",
        ),
        (
            json!({ "name": "b", "tokens_per_minute": 1, "weights": { "input": -1.0 } }),
            "the weight of `input` is from 0",
        ),
        (
            json!({ "name": "b", "requests": 1, "per": "1s", "weights": { "input": 1.0 } }),
            "requests have no weights",
        ),
        (
            json!({ "name": "b", "tokens_per_minute": 1, "key": ["team"] }),
            "`team` is no key",
        ),
        (
            json!({ "name": "b", "tokens_per_minut": 1 }),
            "unknown field `tokens_per_minut`",
        ),
    ] {
        let error = with(budget.clone()).unwrap_err();
        assert!(error.contains(reason), "{budget}: {error}");
    }
}

#[test]
fn what_else_cannot_take_effect_is_told() {
    let budget = json!({ "name": "b", "tokens_per_minute": 1, "quota": 5, "period": "day" });
    let base = || json!({ "estimate": "off", "opaque": 5, "budget": [budget] });
    assert_eq!(read(base()), Ok(()));
    for (key, value, reason) in [
        (
            "budget",
            json!([]),
            "a limiter without a budget limits nothing",
        ),
        (
            "budget",
            json!([budget, budget]),
            "two budgets are named `b`",
        ),
        (
            "opaque",
            json!("maybe"),
            "expected `pass`, `refuse` or a number of tokens",
        ),
        (
            "output",
            json!("most"),
            "expected `learned`, `max_tokens` or a number of tokens",
        ),
        ("quota_status", json!(200), "a status from 400 to 499"),
        (
            "headers",
            json!({ "reset": "a b" }),
            "`a b` is no name of a header",
        ),
        (
            "headers",
            json!({ "limit": "content-length" }),
            "the header `content-length` stands twice or has a meaning of its own",
        ),
        (
            "headers",
            json!({ "limit": "x-left", "reset": "x-left" }),
            "the header `x-left` stands twice or has a meaning of its own",
        ),
        (
            "headers",
            json!({ "limit": "x-left", "consumed": "x-left" }),
            "the header `x-left` stands twice or has a meaning of its own",
        ),
        ("estimate", json!("guess"), "unknown variant `guess`"),
    ] {
        let mut config = base();
        config[key] = value;
        let error = read(config).unwrap_err();
        assert!(error.contains(reason), "{key}: {error}");
    }
    let mut rate = base();
    rate["quota_status"] = json!(403);
    assert_eq!(read(rate.clone()), Ok(()));
    rate["budget"] = json!([{ "name": "b", "tokens_per_minute": 1 }]);
    assert!(
        read(rate)
            .unwrap_err()
            .contains("no quota for `quota_status`")
    );
    let mut money = base();
    money["quota_status"] = json!(403);
    money["prices"] = json!({ "currency": "EUR", "otherwise": { "input": 1, "output": 2 } });
    money["budget"] = json!([{ "name": "b", "cost": 5, "period": "month" }]);
    assert_eq!(read(money), Ok(()));
    let mut silent = base();
    silent.as_object_mut().unwrap().remove("opaque");
    assert!(read(silent).unwrap_err().contains("missing field `opaque`"));
}

#[test]
fn budgets_of_money_need_prices_and_a_time() {
    let prices = json!({
        "currency": "EUR",
        "otherwise": { "input": 10, "output": 30 },
        "model": { "gpt-4o*": { "input": 2.5, "cached_input": 1.25, "output": 10 } },
    });
    let with = |prices: Value, budget: Value| {
        read(json!({ "estimate": "off", "opaque": "pass", "prices": prices, "budget": [budget] }))
    };
    for budget in [
        json!({ "name": "b", "cost": 50.5, "period": "month" }),
        json!({ "name": "b", "cost": 0.01, "per": "60s", "key": ["consumer"] }),
    ] {
        assert_eq!(with(prices.clone(), budget), Ok(()));
    }
    for (prices, budget, reason) in [
        (
            prices.clone(),
            json!({ "name": "b", "cost": 1 }),
            "either `per` or `period`",
        ),
        (
            prices.clone(),
            json!({ "name": "b", "cost": 1, "per": "1m", "period": "day" }),
            "either `per` or `period`",
        ),
        (
            prices.clone(),
            json!({ "name": "b", "cost": 1, "period": "day", "tokens": 1 }),
            "`cost` stands alone",
        ),
        (
            prices.clone(),
            json!({ "name": "b", "cost": -1, "period": "day" }),
            "from 0.000001",
        ),
        (
            prices,
            json!({ "name": "b", "cost": 0.0000001, "period": "day" }),
            "an amount of money is from 0.000001 to a billion",
        ),
        (
            Value::Null,
            json!({ "name": "b", "cost": 1, "period": "day" }),
            "`cost` needs `[token_limit.prices]`",
        ),
        (
            json!({ "currency": "EUR", "otherwise": { "input": 1 } }),
            json!({ "name": "b", "quota": 1, "period": "day" }),
            "the price of `otherwise`: `output` is missing",
        ),
        (
            json!({ "currency": "EUR", "otherwise": { "input": 1, "output": 1, "tea": 1 } }),
            json!({ "name": "b", "quota": 1, "period": "day" }),
            "there is no kind of token `tea`",
        ),
    ] {
        let error = with(prices, budget).unwrap_err();
        assert!(error.contains(reason), "{error}");
    }
}
