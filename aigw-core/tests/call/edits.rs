//! Edits change what they say, and no other byte.

use aigw_core::call::{Edit, HasCall};
use http_body::Body;
use serde_json::{Value, json};

use crate::{
    stack::{CHAT, json as send, parse},
    support::drain,
};

fn model(name: &str) -> Edit {
    Edit::Model(name.into())
}

/// The body after edits, and whether each took effect.
fn edited(uri: &str, body: &str, edits: &[Edit]) -> (String, Vec<bool>) {
    let mut passed = send(uri, body).passed().into_body();
    let took = edits.iter().map(|edit| passed.edit(edit.clone())).collect();
    let hint = passed.size_hint().exact().unwrap();
    let twin = passed.try_clone().unwrap();
    let out = drain(&mut passed).text();
    assert_eq!(hint, out.len() as u64, "{out}");
    assert!(passed.is_end_stream() && passed.size_hint().exact() == Some(0));
    assert!(passed.try_clone().is_none(), "sent already");
    let mut twin = twin;
    assert_eq!(drain(&mut twin).text(), out);
    (out, took)
}

/// Checks that two texts differ in one place only, and answers what stood and stands there.
fn difference<'t>(before: &'t str, after: &'t str) -> (&'t str, &'t str) {
    let front = before
        .bytes()
        .zip(after.bytes())
        .take_while(|(a, b)| a == b)
        .count();
    let (b, a) = (&before[front..], &after[front..]);
    let back = b
        .bytes()
        .rev()
        .zip(a.bytes().rev())
        .take_while(|(a, b)| a == b)
        .count();
    (&b[..b.len() - back], &a[..a.len() - back])
}

#[test]
fn without_an_edit_the_bytes_are_the_callers() {
    for body in [
        "{\"model\":\"m\"}",
        " \r\n\t{ \"model\" : \"m\" } \n",
        "{\"model\":\"\\u006d\"}",
    ] {
        assert_eq!(edited(CHAT, body, &[]).0, body);
    }
}

#[test]
fn include_usage_is_asked_in_every_form_of_the_options() {
    let forms = [
        r#"{"model":"m"}"#,
        r#" { "model" : "m" , "stream" : true } "#,
        r#"{"model":"m","stream_options":null}"#,
        r#"{"model":"m","stream_options":{}}"#,
        r#"{"model":"m","stream_options":{ }, "x":1}"#,
        r#"{"model":"m","stream_options":{"other":1}}"#,
        r#"{"stream_options":{ "other":[{}] },"model":"m"}"#,
        r#"{"model":"m","stream_options":{"include_usage":false}}"#,
        r#"{"model":"m","stream_options":{"a":1,"include_usage":null,"b":2}}"#,
        r#"{"model":"m","stream_options":{"include_usage":true}}"#,
        r#"{"model":"m","stream\u005foptions":{"include\u005fusage":false}}"#,
    ];
    for form in forms {
        let (once, took) = edited(CHAT, form, &[Edit::IncludeUsage]);
        assert_eq!(took, [true]);
        let mut expected: Value = serde_json::from_str(form).unwrap();
        if expected["stream_options"].is_null() {
            expected["stream_options"] = json!({});
        }
        expected["stream_options"]["include_usage"] = json!(true);
        let value: Value = serde_json::from_str(&once).unwrap();
        assert_eq!(value, expected, "{once}");
        assert_eq!(once.matches("usage").count(), 1, "{once}");
        let (removed, added) = difference(form, &once);
        assert!(
            ["", "null", "fals", "null}", "false"].contains(&removed),
            "{removed} → {added}"
        );
        // Once more changes nothing.
        assert_eq!(
            edited(CHAT, form, &[Edit::IncludeUsage, Edit::IncludeUsage]).0,
            once
        );
    }
}

#[test]
fn options_of_a_foreign_type_are_not_edited() {
    for options in [
        "7",
        "[]",
        "\"x\"",
        "true",
        r#"{"include_usage":"yes"}"#,
        r#"{"include_usage":{}}"#,
        r#"{"include_usage":1}"#,
    ] {
        let body = format!(r#"{{"model":"m","stream_options":{options}}}"#);
        assert_eq!(
            edited(CHAT, &body, &[Edit::IncludeUsage]),
            (body.clone(), vec![false])
        );
        let (both, took) = edited(CHAT, &body, &[Edit::IncludeUsage, model("n")]);
        assert_eq!(both, body.replace("\"m\"", "\"n\""));
        assert_eq!(took, [false, true]);
    }
}

#[test]
fn the_model_is_replaced_where_it_stands_and_the_last_one_wins() {
    for (before, name) in [
        (r#"{"model":"m"}"#, "n"),
        (
            r#" { "x":"model", "model" :  "m" ,"y":1} "#,
            "a\"\\\n\u{1}日",
        ),
        (r#"{"mod\u0065l":"\u006d"}"#, ""),
    ] {
        let (after, took) = edited(CHAT, before, &[model("first"), model(name)]);
        assert_eq!(took, [true, true]);
        let mut expected: Value = serde_json::from_str(before).unwrap();
        expected["model"] = json!(name);
        assert_eq!(serde_json::from_str::<Value>(&after).unwrap(), expected);
        assert!(!after.contains("first"));
    }
}

#[test]
fn a_model_that_the_body_does_not_name_is_put_in_front() {
    const IMAGES: &str = "/v1/images/generations";
    for (before, after) in [
        ("{}", r#"{"model":"n"}"#),
        (" { } ", r#" {"model":"n" } "#),
        (
            "\n{ \"prompt\":\"x\" }",
            "\n{\"model\":\"n\", \"prompt\":\"x\" }",
        ),
    ] {
        assert_eq!(edited(IMAGES, before, &[model("m"), model("n")]).0, after);
    }
    for edits in [
        [model("n"), Edit::IncludeUsage],
        [Edit::IncludeUsage, model("n")],
    ] {
        for before in ["{}", "{ }", r#"{"x":1}"#] {
            let (after, _) = edited(IMAGES, before, &edits);
            let value: Value = serde_json::from_str(&after).unwrap();
            assert_eq!(
                (&value["model"], &value["stream_options"]),
                (&json!("n"), &json!({"include_usage": true}))
            );
            assert_eq!(after.matches("model").count(), 1);
        }
    }
}

#[test]
fn both_edits_stand_side_by_side_in_any_order() {
    for body in [
        r#"{"model":"m","stream_options":{}}"#,
        r#"{"stream_options":{"include_usage":false},"model":"m"}"#,
        r#"{"stream_options":null,"x":{},"model":"m"}"#,
        r#"{"model":"m"}"#,
    ] {
        let forth = edited(CHAT, body, &[model("long-name"), Edit::IncludeUsage]).0;
        let back = edited(CHAT, body, &[Edit::IncludeUsage, model("long-name")]).0;
        assert_eq!(forth, back);
        let value: Value = serde_json::from_str(&forth).unwrap();
        assert_eq!(value["model"], "long-name");
        assert_eq!(value["stream_options"]["include_usage"], true);
    }
}

#[test]
fn a_model_in_the_path_is_named_in_the_body_too_except_to_google() {
    const AZURE: &str = "/openai/deployments/d/chat/completions";
    for (uri, before, after) in [
        (
            AZURE,
            r#"{"messages":[]}"#,
            r#"{"model":"n","messages":[]}"#,
        ),
        (AZURE, r#"{"model":"m"}"#, r#"{"model":"n"}"#),
        ("/v1beta/models/g:generateContent", "{}", "{}"),
    ] {
        let mut passed = send(uri, before).passed().into_body();
        assert!(passed.edit(model("n")));
        assert_eq!(passed.model(), Some("n"));
        assert_ne!(passed.call().model(), Some("n"));
        assert_eq!(drain(&mut passed).text(), after);
    }
}

#[test]
fn a_call_without_a_body_gets_none_by_an_edit() {
    let request = http::Request::get(CHAT).body(crate::support::Script::new([]).exact());
    let layer = aigw_core::call::CallLayer::new();
    let mut body = crate::stack::send(&layer, request.unwrap())
        .passed()
        .into_body();
    assert!(body.edit(model("n")));
    assert_eq!(drain(&mut body).text(), "");
}

#[test]
fn clones_share_the_bytes_and_part_with_their_edits() {
    let mut first = send(CHAT, r#"{"model":"m","messages":[]}"#)
        .passed()
        .into_body();
    assert!(first.edit(model("one")));
    let mut second = first.try_clone().unwrap();
    assert!(second.edit(model("two")));
    assert_eq!((first.model(), second.model()), (Some("one"), Some("two")));
    assert!(std::sync::Arc::ptr_eq(first.call(), second.call()));
    let original = first.call().body().unwrap().as_ptr_range();
    let (first, second) = (drain(&mut first), drain(&mut second));
    assert!(first.text().contains("one") && second.text().contains("two"));
    for frames in [first.frames, second.frames] {
        let shared = frames
            .iter()
            .filter(|frame| original.contains(&frame.as_ptr()));
        assert_eq!((shared.count(), frames.len()), (2, 3));
    }
}

#[test]
fn what_is_being_sent_cannot_be_edited() {
    let mut body = send(CHAT, r#"{"model":"m"}"#).passed().into_body();
    drain(&mut body);
    assert!(!body.edit(model("n")));
    assert_eq!(body.model(), Some("m"));
}

#[test]
fn an_edit_changes_what_is_sent_and_not_what_was_asked() {
    let call = parse(
        CHAT,
        r#"{"model":"m","stream":true,"n":3,"max_tokens":5,"user":"u"}"#,
    )
    .unwrap();
    assert_eq!(
        (call.model(), call.streams(), call.choices()),
        (Some("m"), true, 3)
    );
    assert_eq!(
        (call.output_cap(), call.user(), call.asks_usage()),
        (Some(5), Some("u"), None)
    );
}

#[test]
fn as_many_answers_are_written_as_are_asked_for_or_chosen_from() {
    for (asks, choices, drafts) in [
        ("", 1, 1),
        (r#","n":3"#, 3, 3),
        (r#","n":2,"best_of":5"#, 2, 5),
        (r#","n":3,"best_of":1"#, 3, 3),
        (r#","best_of":"many""#, 1, 1),
    ] {
        let call = parse(CHAT, &format!(r#"{{"model":"m"{asks}}}"#)).unwrap();
        assert_eq!((call.choices(), call.drafts()), (choices, drafts), "{asks}");
    }
}
