//! Who may call: keys over TCP, in the headers of every dialect's callers.

use std::sync::{Arc, Mutex};

use serde_json::json;

use crate::{
    callers::{Caller, Refusal},
    house::{House, every_dialect, one_backend},
    upstream::upstream,
    wire::{Answer, Head, post_with},
};

/// Who may call, as the gateway's file says it.
const ACCESS: &str = r#"
[access]
key_query = "code"

[[access.consumer]]
id = "team-a"
keys = ["sk-team-a", "sk-team-a-next"]
labels = { tier = "gold" }

[[access.consumer]]
id = "team-b"
keys = ["sk-team-b"]
state = "suspended"
"#;

async fn house() -> House {
    House::open(&(every_dialect("") + ACCESS)).await
}

impl Caller {
    /// How its SDK shows a key.
    fn key(self, key: &str) -> String {
        match self {
            Self::OpenAi => format!("authorization: Bearer {key}"),
            Self::Azure => format!("api-key: {key}"),
            Self::Anthropic => format!("x-api-key: {key}"),
            Self::Gemini => format!("x-goog-api-key: {key}"),
        }
    }

    /// A request that would be answered, with these header lines.
    fn request_with(self, headers: &str) -> String {
        let headers = format!("content-type: application/json{headers}");
        post_with(self.path(), &headers, &self.body().to_string())
    }
}

fn unauthorized(says: &'static str) -> Refusal {
    Refusal {
        status: 401,
        code: "invalid_api_key",
        anthropic: "authentication_error",
        google: "UNAUTHENTICATED",
        says,
    }
}

#[tokio::test]
async fn every_caller_is_let_in_with_a_key_and_refused_in_its_own_words_without() {
    let house = house().await;
    let mut served = 0;
    for caller in Caller::ALL {
        let mut wire = house.connect().await;
        wire.send(caller.request_with("")).await;
        let answer = wire.answer().await;
        caller.assert_refused(&answer, &unauthorized("has no API key"));

        let wrong = format!("\r\n{}", caller.key("sk-nobody"));
        wire.send(caller.request_with(&wrong)).await;
        let answer = wire.answer().await;
        caller.assert_refused(&answer, &unauthorized("is not known here"));

        // The connection stays of use.
        for key in ["sk-team-a", "sk-team-a-next"] {
            let right = format!("\r\n{}", caller.key(key));
            wire.send(caller.request_with(&right)).await;
            assert_eq!(wire.answer().await.status(), 200, "{caller:?}");
            served += 1;
        }
    }
    let mut used = 0;
    for backend in ["openai", "azure", "anthropic", "gemini"] {
        used += house.used_by(backend, 2).await.complete;
    }
    assert_eq!(used, served);
}

#[tokio::test]
async fn a_suspended_consumer_is_refused_by_name_of_the_fault() {
    let house = house().await;
    let refusal = Refusal {
        status: 403,
        code: "forbidden",
        anthropic: "permission_error",
        google: "PERMISSION_DENIED",
        says: "is suspended",
    };
    for caller in Caller::ALL {
        let mut wire = house.connect().await;
        let key = format!("\r\n{}", caller.key("sk-team-b"));
        wire.send(caller.request_with(&key)).await;
        caller.assert_refused(&wire.answer().await, &refusal);
    }
}

#[tokio::test]
async fn a_body_of_nobody_s_is_refused_before_it_has_come() {
    let house = house().await;
    let mut wire = house.connect().await;
    let path = Caller::OpenAi.path();
    wire.send(format!(
        "POST {path} HTTP/1.1\r\nhost: gateway\r\ncontent-type: application/json\r\n\
         authorization: Bearer sk-nobody\r\ncontent-length: 16000000\r\n\r\n{{"
    ))
    .await;
    let answer = wire.answer().await;
    Caller::OpenAi.assert_refused(&answer, &unauthorized("is not known here"));
}

#[tokio::test]
async fn without_a_key_a_caller_is_served_where_none_is_required() {
    let open = ACCESS.replace("[access]", "[access]\nrequired = false");
    let house = House::open(&(every_dialect("") + &open)).await;
    let mut wire = house.connect().await;
    wire.send(Caller::OpenAi.request()).await;
    assert_eq!(wire.answer().await.status(), 200);
    let wrong = format!("\r\n{}", Caller::OpenAi.key("sk-nobody"));
    wire.send(Caller::OpenAi.request_with(&wrong)).await;
    let answer = wire.answer().await;
    Caller::OpenAi.assert_refused(&answer, &unauthorized("is not known here"));
}

/// Calls a gateway that passes on callers' own credentials, and gives what its backend sees.
async fn seen(path: &str, headers: &str) -> (Answer, Vec<Head>) {
    let heads = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&heads);
    let url = upstream(move |mut wire| {
        let heads = Arc::clone(&heads);
        async move {
            while let Some((head, _)) = wire.request().await {
                heads.lock().unwrap().push(head);
                let answer = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";
                wire.send(answer).await;
            }
        }
    })
    .await;
    let backend = one_backend(&url, "").replace(
        "dialect = \"openai\"",
        "dialect = \"openai\"\ncredentials = \"pass-through\"",
    );
    let house = House::open(&(backend + ACCESS)).await;
    let mut wire = house.connect().await;
    let body = json!({"model": "gpt-4o", "messages": []}).to_string();
    let headers = format!("content-type: application/json{headers}");
    wire.send(post_with(path, &headers, &body)).await;
    let answer = wire.answer().await;
    let seen = std::mem::take(&mut *seen.lock().unwrap());
    (answer, seen)
}

#[tokio::test]
async fn a_consumer_s_key_reaches_no_backend_and_the_provider_s_own_may() {
    for (path, key) in [
        (
            "/v1/chat/completions",
            "\r\nauthorization: Bearer sk-team-a",
        ),
        ("/v1/chat/completions", "\r\nx-api-key: sk-team-a"),
        ("/v1/chat/completions?code=sk-team-a", ""),
        (
            "/v1/chat/completions?code=sk-team-a",
            "\r\nx-goog-api-key: sk-team-a",
        ),
    ] {
        let (answer, seen) = seen(path, key).await;
        assert_eq!(answer.status(), 200, "{path}{key}");
        assert_eq!(seen.len(), 1);
        assert!(!format!("{seen:?}").contains("sk-team-a"), "{seen:?}");
    }
    let keys = "\r\napi-key: sk-team-a\r\nauthorization: Bearer sk-of-the-provider";
    let (answer, seen) = seen("/v1/chat/completions", keys).await;
    assert_eq!(answer.status(), 200);
    let passed = seen[0].header("authorization");
    assert_eq!(passed, Some("Bearer sk-of-the-provider"));
    assert_eq!(seen[0].header("api-key"), None);
}
