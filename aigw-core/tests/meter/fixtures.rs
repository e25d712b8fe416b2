//! What each recorded answer states.

use aigw_core::usage::Kind::{self, *};

use crate::answer::{CHAT, JSON, SSE};

/// An answer, what was asked for it, and what its meter shows at the end.
pub(crate) struct Fixture {
    pub(crate) name: &'static str,
    pub(crate) uri: &'static str,
    pub(crate) request: &'static str,
    pub(crate) media: &'static str,
    pub(crate) bytes: &'static [u8],
    pub(crate) usage: &'static [(Kind, u64)],
    pub(crate) model: Option<&'static str>,
    pub(crate) finish: Option<&'static str>,
    /// The code of the error inside it.
    pub(crate) error: Option<&'static str>,
    pub(crate) content_bytes: u64,
    pub(crate) chunks: u64,
    /// The text after whose event nothing more has to come; for a document its end.
    pub(crate) last: &'static str,
}

const AZURE: &str = "/openai/deployments/d/chat/completions?api-version=2024-10-21";
const MESSAGES: &str = "/v1/messages";
const RESPONSES: &str = "/v1/responses";
const GEMINI: &str = "/v1beta/models/g:streamGenerateContent?alt=sse";

const ONE: &str = r#"{"model":"m"}"#;
const STREAM: &str = r#"{"model":"m","stream":true}"#;

const GPT: Option<&str> = Some("gpt-4o-2024-08-06");
const GPT_41: Option<&str> = Some("gpt-4.1-2025-04-14");
const CLAUDE: Option<&str> = Some("claude-sonnet-4-5-20250929");
const FLASH: Option<&str> = Some("gemini-2.5-flash");

macro_rules! fixture {
    ($name:literal, $uri:expr, $request:expr, $media:expr, $usage:expr, $model:expr, $finish:expr,
     $error:expr, $content:literal in $chunks:literal, $last:literal) => {
        Fixture {
            name: $name,
            uri: $uri,
            request: $request,
            media: $media,
            bytes: include_bytes!(concat!("answers/", $name)),
            usage: &$usage,
            model: $model,
            finish: $finish,
            error: $error,
            content_bytes: $content,
            chunks: $chunks,
            last: $last,
        }
    };
}

#[rustfmt::skip]
pub(crate) const ALL: &[Fixture] = &[
    fixture!("openai-chat-stream-usage.sse", CHAT, STREAM, SSE,
        [(Input, 19), (CachedInput, 4), (InputAudio, 0), (Output, 10), (Reasoning, 3), (OutputAudio, 0),
         (AcceptedPrediction, 0), (RejectedPrediction, 0)],
        GPT, Some("stop"), None, 26 in 2, r#""finish_reason":"stop""#),
    fixture!("openai-chat-stream-bare.sse", CHAT, STREAM, SSE,
        [], GPT, Some("length"), None, 11 in 2, r#""finish_reason":"length""#),
    fixture!("openai-chat-stream-tools.sse", CHAT, STREAM, SSE,
        [(Input, 82), (Output, 17)], GPT, Some("tool_calls"), None, 71 in 3, r#""finish_reason":"tool_calls""#),
    fixture!("openai-chat-stream-two-choices.sse", CHAT, r#"{"model":"m","stream":true,"n":2}"#, SSE,
        [], GPT, Some("stop"), None, 2 in 2, r#""index":0,"delta":{},"logprobs":null,"finish_reason":"stop""#),
    fixture!("azure-chat-stream-filter.sse", AZURE, r#"{"stream":true}"#, SSE,
        [(Input, 9), (Output, 2)], Some("gpt-4o-2024-11-20"), Some("content_filter"), None, 2 in 1,
        r#""finish_reason":"content_filter""#),
    fixture!("openai-chat-stream-error.sse", CHAT, STREAM, SSE,
        [], GPT, None, Some("server_error"), 3 in 1, r#"{"error":{"#),
    fixture!("openai-chat.json", CHAT, ONE, JSON,
        [(Input, 19), (CachedInput, 0), (InputAudio, 2), (Output, 10), (Reasoning, 0), (OutputAudio, 1),
         (AcceptedPrediction, 5), (RejectedPrediction, 6)],
        GPT_41, Some("stop"), None, 34 in 1, ""),
    fixture!("openai-completions-stream.sse", "/v1/completions", STREAM, SSE,
        [(Input, 5), (Output, 2)], Some("gpt-3.5-turbo-instruct"), Some("length"), None, 7 in 2,
        r#""finish_reason":"length""#),
    fixture!("openai-embeddings.json", "/v1/embeddings", ONE, JSON,
        [(Input, 8)], Some("text-embedding-3-small"), None, None, 0 in 0, ""),
    fixture!("openai-responses-stream.sse", RESPONSES, STREAM, SSE,
        [(Input, 37), (CachedInput, 32), (Output, 11), (Reasoning, 6)],
        GPT_41, Some("stop"), None, 9 in 2, r#""type":"response.completed""#),
    fixture!("openai-responses-stream-incomplete.sse", RESPONSES, STREAM, SSE,
        [(Input, 37), (CachedInput, 32), (Output, 11), (Reasoning, 6)],
        GPT_41, Some("length"), None, 9 in 2, r#""type":"response.incomplete""#),
    fixture!("openai-responses-stream-failed.sse", RESPONSES, STREAM, SSE,
        [], GPT_41, Some("failed"), Some("server_error"), 9 in 2, r#""error":{"#),
    fixture!("openai-responses.json", RESPONSES, ONE, JSON,
        [(Input, 37), (CachedInput, 32), (Output, 11), (Reasoning, 6)],
        GPT_41, Some("stop"), None, 9 in 1, ""),
    fixture!("openai-image.json", "/v1/images/generations", ONE, JSON,
        [(Input, 50), (InputImage, 40), (Output, 50)], None, None, None, 0 in 0, ""),
    fixture!("openai-transcription-stream.sse", "/v1/audio/transcriptions", "", SSE,
        [(Input, 14), (InputAudio, 4), (Output, 31)], None, None, None, 11 in 2, r#""type":"transcript.text.done""#),
    fixture!("openai-transcription.json", "/v1/audio/transcriptions", "", JSON,
        [(Input, 14), (InputAudio, 14), (Output, 45)], None, None, None, 19 in 1, ""),
    fixture!("anthropic-stream-cache.sse", MESSAGES, STREAM, SSE,
        [(Input, 2125), (CachedInput, 2000), (CacheWrite, 100), (Output, 15)],
        CLAUDE, Some("stop"), None, 6 in 2, r#""type":"message_stop""#),
    fixture!("anthropic-stream-thinking.sse", MESSAGES, STREAM, SSE,
        [(Input, 30), (CachedInput, 0), (CacheWrite, 0), (Output, 42)],
        CLAUDE, Some("length"), None, 32 in 2, r#""type":"message_stop""#),
    fixture!("anthropic-stream-tools.sse", MESSAGES, STREAM, SSE,
        [(Input, 472), (Output, 89)], CLAUDE, Some("tool_calls"), None, 35 in 3, r#""type":"message_stop""#),
    fixture!("anthropic-stream-overloaded.sse", MESSAGES, STREAM, SSE,
        [(Input, 25), (Output, 1)], CLAUDE, None, Some("overloaded_error"), 3 in 1, r#""type":"error""#),
    fixture!("anthropic.json", MESSAGES, ONE, JSON,
        [(Input, 2113), (CachedInput, 11), (CacheWrite, 7), (Output, 503)],
        CLAUDE, Some("stop"), None, 22 in 1, ""),
    fixture!("gemini-stream.sse", GEMINI, "{}", SSE,
        [(Input, 115), (CachedInput, 90), (ToolInput, 5), (Output, 20), (Reasoning, 17)],
        FLASH, Some("stop"), None, 19 in 3, r#""finishReason":"STOP""#),
    fixture!("gemini-stream.json", "/v1beta/models/g:streamGenerateContent", "{}", JSON,
        [(Input, 115), (CachedInput, 90), (ToolInput, 5), (Output, 20), (Reasoning, 17)],
        FLASH, Some("stop"), None, 19 in 1, ""),
    fixture!("gemini.json", "/v1beta/models/g:generateContent", "{}", JSON,
        [(Input, 4), (Output, 6)], FLASH, Some("length"), None, 6 in 1, ""),
    fixture!("gemini-blocked.json", "/v1beta/models/g:generateContent", "{}", JSON,
        [(Input, 4)], FLASH, Some("content_filter"), None, 0 in 0, ""),
];

impl Fixture {
    pub(crate) fn is_stream(&self) -> bool {
        self.media == SSE
    }

    /// How many bytes must have come before the answer is over.
    pub(crate) fn complete_at(&self) -> usize {
        if !self.is_stream() {
            return self.bytes.trim_ascii_end().len();
        }
        let at = self.find(self.last);
        let rest = &self.bytes[at..];
        let blank = |mark: &[u8]| {
            rest.windows(mark.len())
                .position(|bytes| bytes == mark)
                .map(|n| n + mark.len())
        };
        // With CRLF the first CR of the blank line is enough.
        let lf = blank(b"\n\n");
        at + lf.or_else(|| blank(b"\r\n\r")).unwrap()
    }

    /// How many bytes must have come before the error is seen.
    pub(crate) fn fails_at(&self) -> Option<usize> {
        self.error.map(|_| self.find(self.last) + self.last.len())
    }

    fn find(&self, text: &str) -> usize {
        let mut places = self.bytes.windows(text.len());
        places.position(|bytes| bytes == text.as_bytes()).unwrap()
    }
}

impl std::fmt::Debug for Fixture {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}
