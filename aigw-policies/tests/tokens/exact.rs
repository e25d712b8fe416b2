//! `Exact` against OpenAI's own tokenizer, and against its published recipes.

use std::sync::Arc;

use aigw_policies::tokens::{Basis, Counting, Estimator, Exact};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::{
    chance::Chance,
    prompts::{Half, Language},
    support::{call, chat, count, tokens},
};

/// A line of the corpus: group, text, and tokens with a fingerprint of their ids, by encoding.
type Line = (String, String, u64, u32, u64, u32, u64, u32, u64, u32);

fn corpus() -> Vec<Line> {
    let lines = include_str!("corpus.jsonl").lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// The tokens of a text alone.
fn text(exact: &Exact, model: &str, text: &str) -> u64 {
    let body = json!({"model": model, "prompt": text});
    tokens(exact, &call("/v1/completions", body.to_string()))
}

#[test]
fn texts_have_the_tokens_that_openais_own_tokenizer_gives_them() {
    let exact = Exact::new();
    let corpus = corpus();
    assert!(corpus.len() > 600);
    for (group, words, o200k, _, cl100k, _, p50k, _, r50k, _) in &corpus {
        for (model, expected) in [
            ("gpt-4o", o200k),
            ("text-embedding-3-large", cl100k),
            ("text-davinci-003", p50k),
            ("davinci", r50k),
        ] {
            assert_eq!(
                text(&exact, model, words),
                *expected,
                "{group}, {model}: {words:?}"
            );
        }
    }
}

/// That they are as many could be chance.
#[test]
fn the_vocabulary_gives_the_very_tokens_of_openais_own() {
    let fingerprint = |tokens: Vec<u32>| {
        let bytes = tokens.into_iter().flat_map(u32::to_le_bytes);
        bytes.fold(0x811c_9dc5_u32, |hash, byte| {
            (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
        })
    };
    let (o200k, cl100k) = (
        tiktoken_rs::o200k_base_singleton(),
        tiktoken_rs::cl100k_base_singleton(),
    );
    for (_, words, _, in_o200k, _, in_cl100k, ..) in corpus() {
        assert_eq!(
            fingerprint(o200k.encode_ordinary(&words)),
            in_o200k,
            "{words:?}"
        );
        assert_eq!(
            fingerprint(cl100k.encode_ordinary(&words)),
            in_cl100k,
            "{words:?}"
        );
    }
}

/// The messages of the cookbook's example, and what it says the API counted.
#[test]
fn a_chat_counts_as_the_cookbook_has_it() {
    let exact = Exact::new();
    let jargon = json!({"messages": [
        {"role": "system", "content": "You are a helpful, pattern-following assistant that translates corporate jargon into plain English."},
        {"role": "system", "name": "example_user", "content": "New synergies will help drive top-line growth."},
        {"role": "system", "name": "example_assistant", "content": "Things working well together will increase revenue."},
        {"role": "system", "name": "example_user", "content": "Let's circle back when we have more bandwidth to touch base on opportunities for increased leverage."},
        {"role": "system", "name": "example_assistant", "content": "Let's talk later when we're less busy about how to do better."},
        {"role": "user", "content": "This late pivot means we don't have time to boil the ocean for the client deliverable."},
    ]});
    for (model, expected) in [
        ("gpt-3.5-turbo-0301", 127),
        ("gpt-3.5-turbo", 129),
        ("gpt-4-0613", 129),
        ("gpt-4", 129),
        ("gpt-4o", 124),
        ("gpt-4o-mini", 124),
    ] {
        let count = count(&exact, &chat(model, &jargon)).unwrap();
        assert_eq!(
            (count.tokens, count.basis),
            (expected, Basis::Counted),
            "{model}"
        );
    }
}

#[test]
fn functions_count_as_the_cookbook_has_it() {
    let exact = Exact::new();
    let parameters = json!({"type": "object", "properties": {
        "location": {"type": "string", "description": "The city and state, e.g. San Francisco, CA"},
        "unit": {"type": "string", "description": "The unit of temperature to return", "enum": ["celsius", "fahrenheit"]},
    }, "required": ["location"]});
    let function = json!({
        "name": "get_current_weather",
        "description": "Get the current weather in a given location",
        "parameters": parameters,
    });
    let weather = json!({"messages": [
        {"role": "system", "content": "You are a helpful assistant that can answer to questions about the weather."},
        {"role": "user", "content": "What's the weather like in San Francisco?"},
    ], "tools": [{"type": "function", "function": function}]});
    for (model, expected) in [
        ("gpt-3.5-turbo", 105),
        ("gpt-4", 105),
        ("gpt-4o", 101),
        ("gpt-4o-mini", 101),
    ] {
        assert_eq!(tokens(&exact, &chat(model, &weather)), expected, "{model}");
    }
}

#[test]
fn what_looks_like_a_special_token_is_text() {
    let exact = Exact::new();
    assert_eq!(text(&exact, "gpt-4o", "<|endoftext|>"), 7);
}

#[test]
fn numbers_in_place_of_texts_are_counted_one_by_one() {
    let exact = Exact::new();
    let body = json!({"model": "text-embedding-3-small", "input": [[1, 2, 3], [4, 5]]});
    assert_eq!(tokens(&exact, &call("/v1/embeddings", body.to_string())), 5);
}

#[test]
fn only_models_of_a_known_vocabulary_are_counted() {
    let exact = Exact::new()
        .alias("our-deployment", "gpt-4o")
        .alias("theirs", "nobody-knows");
    let body = json!({"messages": [{"role": "user", "content": "hello"}]});
    for model in ["our-deployment", "openai/gpt-4o", "gpt-4o"] {
        assert_eq!(tokens(&exact, &chat(model, &body)), 8, "{model}");
        assert!(exact.load(model));
    }
    for model in ["claude-sonnet-4-5", "theirs"] {
        assert!(
            matches!(exact.count(&chat(model, &body)), Counting::Unknown),
            "{model}"
        );
        assert!(!exact.load(model));
        assert!(exact.estimate(&chat(model, &body)).tokens() > 0);
    }
}

#[test]
fn what_was_settled_under_an_alias_is_learnt_for_its_model() {
    let exact = Exact::new().alias("ours", "gpt-4o");
    let body = json!({"messages": [{"role": "user", "content": "hello"}]});
    let ours = chat("ours", &body);
    exact.settle(&ours, &exact.estimate(&ours), 8);
    assert_eq!(exact.fast().accuracy("gpt-4o").unwrap().settled, 1);
}

#[test]
fn a_long_prompt_is_work_for_elsewhere_until_it_is_known() {
    let exact = Exact::new();
    let body = json!({"messages": [
        {"role": "system", "content": "word ".repeat(2_000)},
        {"role": "user", "content": "hello"},
    ]});
    let call = chat("gpt-4o", &body);
    assert!(exact.load("gpt-4o"));
    let Counting::Long(work) = exact.count(&call) else {
        panic!("ten kilobytes are counted at once");
    };
    let counted = work.run();
    // The conversation goes on, and only what is new is counted: at once.
    let mut body = body;
    body["messages"]
        .as_array_mut()
        .unwrap()
        .push(json!({"role": "assistant", "content": "hi"}));
    match exact.count(&chat("gpt-4o", &body)) {
        Counting::Counted(longer) => assert_eq!(longer.tokens, counted.tokens + 3 + 1 + 1),
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_is_long_even_to_look_up_is_looked_up_elsewhere() {
    let exact = Exact::new();
    assert!(exact.load("gpt-4o"));
    let prompt = json!({"messages": [{"role": "user", "content": "!".repeat(600 << 10)}]});
    let call = chat("gpt-4o", &prompt);
    let first = tokens(&exact, &call);
    assert!(matches!(exact.count(&call), Counting::Long(_)));
    assert_eq!(tokens(&exact, &call), first);
}

#[test]
fn nothing_is_counted_at_once_before_the_vocabulary_is_loaded() {
    let exact = Exact::new();
    let call = chat(
        "gpt-4o",
        &json!({"messages": [{"role": "user", "content": "hello"}]}),
    );
    let Counting::Long(work) = exact.count(&call) else {
        panic!("the vocabulary takes a while to load");
    };
    assert_eq!(work.run().tokens, 8);
    assert!(matches!(exact.count(&call), Counting::Counted(_)));
}

#[test]
fn a_prompt_above_the_cap_is_not_counted() {
    let exact = Exact::new().max_bytes(100);
    let prompt = |length| json!({"messages": [{"role": "user", "content": "a".repeat(length)}]});
    assert!(matches!(
        exact.count(&chat("gpt-4o", &prompt(101))),
        Counting::Unknown
    ));
    assert!(count(&exact, &chat("gpt-4o", &prompt(50))).is_some());
}

#[test]
fn an_estimator_behind_a_pointer_is_the_same() {
    let exact = Exact::new();
    let shared: Arc<dyn Estimator> = Arc::new(exact.clone());
    let call = chat(
        "gpt-4o",
        &json!({"messages": [{"role": "user", "content": "hello"}]}),
    );
    assert_eq!(shared.estimate(&call), exact.estimate(&call));
    assert_eq!(tokens(&shared, &call), 8);
    shared.settle(&call, &shared.estimate(&call), 8);
    assert_eq!(exact.fast().accuracy("gpt-4o").unwrap().settled, 1);
}

/// Messages of few shapes, so that some stand twice.
fn messages() -> impl Strategy<Value = Vec<Value>> {
    let content = prop_oneof![
        "[a-z é漢\n]{0,12}".prop_map(Value::from),
        Just(
            json!([{"type": "text", "text": "hello"}, {"type": "image_url", "image_url": {"url": "https://x"}}])
        ),
        Just(Value::Null),
    ];
    let role = prop_oneof![Just("user"), Just("assistant")];
    let message =
        (role, content).prop_map(|(role, content)| json!({"role": role, "content": content}));
    prop::collection::vec(message, 0..8)
}

proptest! {
    #[test]
    fn what_is_remembered_counts_as_it_did(chats in prop::collection::vec(messages(), 1..6)) {
        let (remembers, forgets) = (Exact::new().memo(8), Exact::new().memo(0));
        for messages in chats {
            for model in ["gpt-4o", "gpt-4o-mini", "gpt-4"] {
                let call = chat(model, &json!({"messages": messages}));
                prop_assert_eq!(count(&remembers, &call), count(&forgets, &call));
            }
        }
    }

    #[test]
    fn every_count_lies_between_the_bounds_of_its_estimate(
        messages in messages(),
        words in "\\PC{0,80}",
        name in prop::option::of("[a-z]{1,9}"),
        choices in prop::collection::vec("[a-z]{1,5}", 0..4),
    ) {
        let exact = Exact::new();
        let mut body = json!({"messages": messages, "tools": [{"type": "function", "function":
            {"name": words, "parameters": {"properties": {"x": {"type": "string", "enum": choices}}}}}]});
        body["messages"].as_array_mut().unwrap().push(json!({"role": "user", "name": name, "content": words}));
        for model in ["gpt-4o", "gpt-4", "gpt-3.5-turbo-0301"] {
            let call = chat(model, &body);
            let (estimate, counted) = (exact.estimate(&call), tokens(&exact, &call));
            prop_assert!((estimate.at_least()..=estimate.at_most()).contains(&counted), "{counted} {estimate:?}");
        }
    }
}

#[test]
fn the_bounds_hold_for_prompts_as_people_write_them() {
    let exact = Exact::new();
    let mut chance = Chance::new(5);
    for language in Language::ALL {
        for _ in 0..10 {
            let call = chat("gpt-4o", &language.chat(Half::First, &mut chance));
            let (estimate, counted) = (exact.estimate(&call), tokens(&exact, &call));
            assert!((estimate.at_least()..=estimate.at_most()).contains(&counted));
        }
    }
}
