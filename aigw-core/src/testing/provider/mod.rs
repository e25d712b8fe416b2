//! A provider made for tests: it speaks every [dialect](crate::dialect), and obeys scripts.
//!
//! ```text
//! request ──► read whole ──► key ──► script ──► model, fields ──► tokens per minute
//!                                      │                                │
//!                     scripted failure ┘             the vendor's answer, at the script's pace,
//!                                                    with the script's faults
//! ```
//!
//! # What it says
//!
//! Without a script an answer follows these rules, the same in each dialect:
//!
//! - It repeats the opening of what the user said last: `You said: …`, cut at the caller's cap.
//! - If tools are offered and the last message, being the user's, contains the name of one, that
//!   tool is called; several, if it names several. `tool_choice` overrules: never, or a certain
//!   one.
//!   Arguments take the texts in double quotes, then the numbers, of that message in turn.
//! - If the last message is a tool's result, the answer is `The tool says: …`.
//! - Usage counts the pieces in which a stream delivers the text, one token each.
//! - Embeddings are near for texts that share words; moderation flags a short list of words.
//!
//! # Scripts
//!
//! Scripts are those of the mock server of the [AI-Gateway labs][labs], and more. A script is an
//! object that names hosts: `host:port`, `host`, or the provider's [id](Config::id); whoever is not
//! named gets `default`, and each field that an entry lacks is taken from there. It stands where
//! the first text of the body belongs, as `{"simulation": {…}}`, either as an object or written out
//! as the text: in `messages[0].content` (OpenAI, Azure, Anthropic), `contents[0].parts[0].text`
//! (Gemini), `input` or `input[0].content` (Responses, embeddings, moderations), `prompt`
//! (completions, images). In any call, and before those, it may be the header `x-simulation`. An
//! unknown field is a 400 that names it.
//!
//! | field | meaning |
//! |---|---|
//! | `response_status_code` | status; from 400 up an error body, in the labs' mock server's words |
//! | `wait_time_ms` | time before the head of the answer |
//! | `headers` | header fields to set |
//! | `text`, `tokens` | what the answer says; or how many words of one token it has |
//! | `usage` | `false`: none; an object: see below |
//! | `sequence` | array of such steps, one for each attempt with this script; the last one stays |
//! | `id` | makes a script another one than its twin, for `sequence` |
//! | `ttft_ms`, `chunk_delay_ms` | time before the first content; before each later one |
//! | `drop_after_chunks` | after n events the body fails |
//! | `end_after_chunks` | after n events it ends cleanly, unfinished |
//! | `hang_after_chunks` | after n events nothing ever comes |
//! | `malformed_after_chunks` | after n events comes one whose data is no JSON |
//! | `error_after_chunks` | after n events comes the vendor's error event, and the end |
//! | `done` | `false`: no `[DONE]` |
//! | `refuse_stream_options` | `true`: 400 if the request has `stream_options` |
//! | `raw` | `{"body" or "base64", "content_type"}`: exactly these bytes |
//! | `chunk_bytes` | cut the bytes anew, into pieces of n |
//! | `comments`, `bom`, `line_ending` | keep-alive comments; byte order mark; `lf`, `crlf`, `cr` |
//!
//! A `usage` object sets counts in neutral words, `input`, `cached_input`, `output`, `reasoning`,
//! which are put into the vendor's; any other field stands in the vendor's usage as it is given.
//!
//! A whole answer is one event, or one for each of its `chunk_bytes`. A scripted 429 carries the
//! mock's `retry_after_ms: 5000`, underscores and all, and no `Retry-After` unless `headers` adds
//! one.
//!
//! # Examples
//!
//! ```
//! use aigw_core::{rt::Tokio, testing::Provider};
//! use http_body_util::{BodyExt, Full};
//! use serde_json::{Value, json};
//! use tower::ServiceExt;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! let provider = Provider::new(Tokio);
//! let ask = |body: Value| {
//!     let request = http::Request::post("http://east.test/v1/chat/completions")
//!         .body(Full::<bytes::Bytes>::from(body.to_string()))
//!         .unwrap();
//!     provider.clone().oneshot(request)
//! };
//!
//! let hello = json!({"role": "user", "content": "Hello!"});
//! let answer = ask(json!({"model": "gpt-4o", "messages": [hello]})).await.unwrap();
//! let body: Value =
//!     serde_json::from_slice(&answer.into_body().collect().await.unwrap().to_bytes()).unwrap();
//! assert_eq!(body["choices"][0]["message"]["content"], "You said: Hello!");
//! assert_eq!(body["usage"]["completion_tokens"], 5);
//!
//! let script = json!({"simulation": {
//!     "default": {"response_status_code": 200},
//!     "east.test": {"response_status_code": 429},
//! }});
//! let system = json!({"role": "system", "content": script});
//! let answer = ask(json!({"model": "gpt-4o", "messages": [system]})).await.unwrap();
//! assert_eq!(answer.status(), 429);
//! assert_eq!(answer.headers()["retry_after_ms"], "5000");
//! assert_eq!(provider.calls().len(), 2);
//! # }
//! ```
//!
//! [labs]: https://github.com/Azure-Samples/AI-Gateway

mod answer;
mod anthropic;
mod asked;
mod audio;
mod base64;
mod body;
mod compose;
mod config;
mod conversation;
mod embeddings;
mod future;
mod gemini;
mod images;
mod limit;
mod log;
mod models;
mod moderation;
mod multipart;
mod openai_chat;
mod refusal;
mod reply;
mod responses;
mod script;
mod service;
mod simulation;
mod sse;
mod tokens;

pub use self::{
    body::ResponseBody,
    config::Config,
    future::ResponseFuture,
    log::{Fate, Received},
    service::Provider,
};
