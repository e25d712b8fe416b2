//! What `Fast` and `Off` promise.

use aigw_policies::tokens::{Estimate, Estimator, Fast, Off};
use serde_json::json;

use crate::support::{call, chat};

#[test]
fn off_counts_nothing() {
    let call = chat(
        "gpt-4o",
        &json!({"messages": [{"role": "user", "content": "hello"}]}),
    );
    assert_eq!(Off.estimate(&call), Estimate::default());
}

#[test]
fn a_call_without_a_prompt_is_nothing_and_teaches_nothing() {
    let fast = Fast::new();
    for call in [
        call("/v1/files", ""),
        call("/v1/chat/completions", r#"{"model":"m"}"#),
    ] {
        let estimate = fast.estimate(&call);
        assert_eq!(
            (estimate.at_least(), estimate.tokens(), estimate.at_most()),
            (0, 0, 0)
        );
        fast.settle(&call, &estimate, 500);
    }
    assert_eq!(fast.accuracy("m"), None);
}

#[test]
fn the_bounds_are_the_bytes_of_the_texts_and_what_stands_around_them() {
    let call = chat(
        "gpt-4o",
        &json!({"messages": [{"role": "user", "content": "é".repeat(256)}]}),
    );
    let estimate = Fast::new().estimate(&call);
    assert_eq!(estimate.at_most(), 4 + 512 + 3 + 3);
    assert_eq!(estimate.at_least(), 5 + 3 + 3);
    assert!((estimate.at_least()..=estimate.at_most()).contains(&estimate.tokens()));
}

#[test]
fn escapes_are_read_as_what_they_mean() {
    let escaped =
        r#"{"model":"m","messages":[{"role":"user","content":"\u732b\u3067\u3042\u308b\n"}]}"#;
    let plain = "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"猫である\\n\"}]}";
    let [escaped, plain] =
        [escaped, plain].map(|body| Fast::new().estimate(&call("/v1/chat/completions", body)));
    assert_eq!(escaped.tokens(), plain.tokens());
}

#[test]
fn an_image_is_not_read_as_text() {
    let url = format!(
        "data:image/png;base64,{}",
        "iVBORw0KGgoAAAANSUhEUgAABAAAAAQA".repeat(1000)
    );
    let image = json!({"type": "image_url", "image_url": {"url": url}});
    let call = chat(
        "gpt-4o",
        &json!({"messages": [{"role": "user", "content": [image]}]}),
    );
    let estimate = Fast::new().estimate(&call);
    assert_eq!(
        (estimate.at_least(), estimate.at_most()),
        (1 + 6 + 765, 4 + 6 + 765)
    );
}

#[test]
fn one_answer_that_miscounts_moves_little() {
    let fast = Fast::new();
    let call = chat(
        "m",
        &json!({"messages": [{"role": "user", "content": "some words ".repeat(100)}]}),
    );
    for _ in 0..100 {
        fast.settle(&call, &fast.estimate(&call), 210);
    }
    let settled = fast.estimate(&call).tokens();
    assert!((200..=220).contains(&settled), "{settled}");
    fast.settle(&call, &fast.estimate(&call), 800);
    fast.settle(&call, &fast.estimate(&call), 1_000_000);
    fast.settle(&call, &fast.estimate(&call), 0);
    let after = fast.estimate(&call).tokens();
    assert!(
        after.abs_diff(settled) * 20 <= settled,
        "{settled} became {after}"
    );
    // The two that cannot be meant are not even counted.
    assert_eq!(fast.accuracy("m").unwrap().settled, 101);
}

#[test]
fn clones_learn_together_and_models_apart() {
    let fast = Fast::new();
    let body = json!({"messages": [{"role": "user", "content": "some words ".repeat(100)}]});
    let call = chat("dear", &body);
    for _ in 0..50 {
        fast.clone().settle(&call, &fast.estimate(&call), 400);
    }
    assert!(fast.estimate(&call).tokens() > 350);
    assert!(fast.estimate(&chat("cheap", &body)).tokens() < 250);
    assert!(fast.accuracy("dear").unwrap().error < 0.5);
}

#[test]
fn the_error_is_estimate_over_actual() {
    let estimate = Estimate::new(150, 0, 1000);
    assert_eq!(estimate.ratio(100), Some(1.5));
    assert_eq!(estimate.ratio(0), None);
}

#[cfg(feature = "tiktoken")]
mod accuracy {
    use std::sync::Arc;

    use aigw_core::call::Call;
    use aigw_policies::tokens::{Estimator, Exact, Fast};

    use crate::{
        chance::Chance,
        prompts::{Half, Language},
        support::{chat, tokens},
    };

    /// A call, and what its provider counts.
    type Settled = (Arc<Call>, u64);

    fn calls(
        model: &str,
        languages: &[Language],
        half: Half,
        number: usize,
        provider: impl Fn(u64) -> u64,
    ) -> Vec<Settled> {
        let exact = Exact::new();
        let mut chance = Chance::new(number as u64);
        let call = |turn: usize| {
            let call = chat(
                model,
                &languages[turn % languages.len()].chat(half, &mut chance),
            );
            let actual = provider(tokens(&exact, &call));
            (call, actual)
        };
        (0..number).map(call).collect()
    }

    /// How far off the estimates of calls are, as shares of the actual count: median and 95th
    /// percentile.
    fn errors(fast: &Fast, calls: &[Settled]) -> (f64, f64) {
        let error =
            |(call, actual): &Settled| (fast.estimate(call).ratio(*actual).unwrap() - 1.0).abs();
        let mut errors: Vec<_> = calls.iter().map(error).collect();
        errors.sort_by(f64::total_cmp);
        (errors[errors.len() / 2], errors[errors.len() * 95 / 100])
    }

    /// The errors on texts that were not seen while 200 calls were settled.
    fn learnt(model: &str, languages: &[Language], provider: impl Fn(u64) -> u64) -> (f64, f64) {
        let fast = Fast::new();
        for (call, actual) in calls(model, languages, Half::First, 200, &provider) {
            fast.settle(&call, &fast.estimate(&call), actual);
        }
        errors(
            &fast,
            &calls(model, languages, Half::Second, 100, &provider),
        )
    }

    #[test]
    fn after_200_calls_half_are_within_5_percent_and_all_but_a_twentieth_within_15() {
        let each = Language::ALL.iter().map(std::slice::from_ref);
        for languages in each.chain([Language::ALL.as_slice()]) {
            for model in ["gpt-4o", "gpt-4"] {
                let (median, p95) = learnt(model, languages, |tokens| tokens);
                println!("{model} {languages:?}: {median:.4} {p95:.4}");
                assert!(
                    median <= 0.05 && p95 <= 0.15,
                    "{model} {languages:?}: {median} {p95}"
                );
            }
        }
    }

    #[test]
    fn a_provider_that_counts_otherwise_is_learnt() {
        let providers: [fn(u64) -> u64; 3] = [
            |tokens| tokens * 3 / 2,
            |tokens| tokens + 346,
            |tokens| tokens * 2 / 3,
        ];
        for provider in providers {
            let (median, p95) = learnt("gpt-4o", &Language::ALL, provider);
            println!("{median:.4} {p95:.4}");
            assert!(median <= 0.05 && p95 <= 0.15, "{median} {p95}");
        }
    }

    #[test]
    fn a_model_that_was_never_heard_is_about_right() {
        let fast = Fast::new();
        for language in Language::ALL {
            let (median, p95) = errors(
                &fast,
                &calls("gpt-4o", &[language], Half::First, 50, |tokens| tokens),
            );
            println!("{language:?}: {median:.4} {p95:.4}");
            assert!(median <= 0.1 && p95 <= 0.2, "{language:?}: {median} {p95}");
        }
    }
}
