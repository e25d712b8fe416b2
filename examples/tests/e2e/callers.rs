//! Callers of each dialect: what they ask, and what they expect to be told when they ask wrongly.

use serde_json::{Value, json};

use crate::{
    house::House,
    wire::{Answer, post},
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Caller {
    OpenAi,
    Azure,
    Anthropic,
    Gemini,
}

/// What a refusal says, whoever is refused.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    /// As OpenAI and Azure are told it.
    pub(crate) code: &'static str,
    /// The `type` that Anthropic gives to the status.
    pub(crate) anthropic: &'static str,
    /// The `status` that Google gives to it.
    pub(crate) google: &'static str,
    /// What the message says among other things.
    pub(crate) says: &'static str,
}

impl Caller {
    pub(crate) const ALL: [Self; 4] = [Self::OpenAi, Self::Azure, Self::Anthropic, Self::Gemini];

    /// Those that name the model in the body.
    pub(crate) const WITH_MODEL: [Self; 2] = [Self::OpenAi, Self::Anthropic];

    /// Where it chats.
    pub(crate) fn path(self) -> &'static str {
        match self {
            Self::OpenAi => "/v1/chat/completions",
            Self::Azure => {
                "/openai/deployments/gpt-4o-mini/chat/completions?api-version=2024-10-21"
            }
            Self::Anthropic => "/v1/messages",
            Self::Gemini => "/v1beta/models/gemini-2.0-flash:generateContent",
        }
    }

    /// A body that is answered.
    pub(crate) fn body(self) -> Value {
        let hello = json!([{"role": "user", "content": "Hello!"}]);
        match self {
            Self::OpenAi => json!({"model": "gpt-4o", "messages": hello}),
            Self::Azure => json!({"messages": hello}),
            Self::Anthropic => {
                json!({"model": "claude-sonnet-4-5", "max_tokens": 64, "messages": hello})
            }
            Self::Gemini => json!({"contents": [{"role": "user", "parts": [{"text": "Hello!"}]}]}),
        }
    }

    /// A request that is answered.
    pub(crate) fn request(self) -> String {
        post(self.path(), &self.body().to_string())
    }

    /// A key of the body that decides something.
    pub(crate) fn deciding_key(self) -> (&'static str, &'static str) {
        match self {
            Self::OpenAi | Self::Azure => ("stream", "true"),
            Self::Anthropic => ("max_tokens", "65"),
            Self::Gemini => ("contents", "[]"),
        }
    }

    /// Checks the answer to a request that is refused.
    pub(crate) fn assert_refused(self, answer: &Answer, refusal: &Refusal) {
        let shown = format!("{self:?}: {refusal:?}: {answer:?}");
        assert_eq!(answer.status(), refusal.status, "{shown}");
        let media = answer.head.header("content-type");
        assert_eq!(media, Some("application/json"), "{shown}");
        let document = answer.json();
        let error = &document["error"];
        let message = error["message"].as_str().expect(&shown);
        assert!(message.contains(refusal.says), "{shown}");
        match self {
            Self::OpenAi => {
                assert_eq!(error["code"], refusal.code, "{shown}");
                assert!(error["type"].is_string(), "{shown}");
            }
            Self::Azure => assert_eq!(error["code"], refusal.code, "{shown}"),
            Self::Anthropic => {
                assert_eq!(document["type"], "error", "{shown}");
                assert_eq!(error["type"], refusal.anthropic, "{shown}");
            }
            Self::Gemini => {
                assert_eq!(error["code"], refusal.status, "{shown}");
                assert_eq!(error["status"], refusal.google, "{shown}");
            }
        }
    }
}

impl Refusal {
    /// A 400, which all dialects have one word for.
    pub(crate) const fn bad_request(code: &'static str, says: &'static str) -> Self {
        Self {
            status: 400,
            code,
            anthropic: "invalid_request_error",
            google: "INVALID_ARGUMENT",
            says,
        }
    }
}

/// Sends a bad request and then, on the same connection, a good one.
pub(crate) async fn refused(
    house: &House,
    caller: Caller,
    request: impl AsRef<[u8]>,
    refusal: &Refusal,
) -> Answer {
    let mut wire = house.connect().await;
    wire.send(request).await;
    let answer = wire.answer().await;
    caller.assert_refused(&answer, refusal);
    wire.send(caller.request()).await;
    let good = wire.answer().await;
    assert_eq!(
        good.status(),
        200,
        "the connection is of no more use: {good:?}"
    );
    answer
}
