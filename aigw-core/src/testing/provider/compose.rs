//! From a request that has been read to the plan of its answer. Pure, but for the counters that a
//! provider keeps.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    time::{Instant, SystemTime},
};

use http::{
    HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header, request, uri::Authority,
};
use serde_json::{Value, json};

use super::{
    anthropic,
    asked::{Asked, Told},
    audio, embeddings, gemini, images, models, moderation, multipart, openai_chat,
    refusal::{self, Refusal},
    reply::{Content, Pace, Reply},
    responses,
    script::Script,
    service::Shared,
    simulation::{self, Names},
};
use crate::dialect::{Dialect, Operation, Target, query_value};

/// The answer to a request.
pub(super) fn reply(
    shared: &Shared,
    head: &request::Parts,
    body: &[u8],
    now: Instant,
    wall: SystemTime,
) -> Reply {
    let authority = authority(head);
    let host = host(&authority);
    let name = shared.config.id.as_deref().unwrap_or(host);
    let id = id(shared, name);
    let names = Names {
        authority: &authority,
        host,
        id: name,
    };
    let call = Call {
        shared,
        head,
        target: Target::recognize(&head.method, &head.uri, &head.headers),
        names,
        id: &id,
    };
    let mut reply = call.reply(body, now, wall);
    let region = HeaderValue::from_str(name).ok();
    let request_id = HeaderValue::from_str(&format!("req_{id}")).ok();
    let facts = [
        ("x-ms-region", region),
        ("x-request-id", request_id.clone()),
        // Anthropic's spelling.
        ("request-id", request_id),
    ];
    for (name, value) in facts {
        if let Some(value) = value {
            let name = HeaderName::from_static(name);
            reply.headers.entry(name).or_insert(value);
        }
    }
    reply
}

/// The answer to a request body above the bound.
pub(super) fn too_large(head: &request::Parts) -> Reply {
    let refusal = Refusal {
        status: StatusCode::PAYLOAD_TOO_LARGE,
        code: "request_too_large",
        message: "The request body is too large",
        param: None,
    };
    refusal.reply(Target::recognize(&head.method, &head.uri, &head.headers).dialect())
}

/// The answer to a request body that broke off.
pub(super) fn unreadable(head: &request::Parts) -> Reply {
    let target = Target::recognize(&head.method, &head.uri, &head.headers);
    bad("The request body could not be read", None).reply(target.dialect())
}

fn bad<'r>(message: &'r str, param: Option<&'r str>) -> Refusal<'r> {
    Refusal {
        status: StatusCode::BAD_REQUEST,
        code: "invalid_request",
        message,
        param,
    }
}

fn missing<'r>(message: &'r str, code: &'r str) -> Refusal<'r> {
    Refusal {
        status: StatusCode::NOT_FOUND,
        code,
        message,
        param: None,
    }
}

struct Call<'c> {
    shared: &'c Shared,
    head: &'c request::Parts,
    target: Target,
    names: Names<'c>,
    id: &'c str,
}

impl Call<'_> {
    fn reply(&self, body: &[u8], now: Instant, wall: SystemTime) -> Reply {
        let dialect = self.target.dialect();
        if !self.is_allowed() {
            let refusal = Refusal {
                status: StatusCode::UNAUTHORIZED,
                code: "invalid_api_key",
                message: "Incorrect API key provided",
                param: None,
            };
            return refusal.reply(dialect);
        }
        let fields = match self.fields(body) {
            Ok(fields) => fields,
            Err(reply) => return *reply,
        };
        let found = {
            let mut attempts = self.shared.attempts();
            simulation::find(&self.head.headers, &fields, &self.names, &mut attempts)
        };
        let script = match found {
            Ok(script) => script.unwrap_or_default(),
            Err(wrong) => return bad(&wrong, Some("simulation")).reply(dialect),
        };
        let status = script
            .status
            .and_then(|code| StatusCode::from_u16(code).ok());
        let status = status.unwrap_or(StatusCode::OK);
        let mut reply = if script.raw.is_some() {
            Reply::plan(
                status,
                Content::Json(Value::Null),
                &script,
                Pace::default(),
                0,
            )
        } else if status.as_u16() >= 400 {
            let mut reply = refusal::scripted(&self.target, status);
            reply.delay = script.wait;
            reply.headers.extend(script.headers.clone());
            reply
        } else {
            self.answer(&fields, &script, status, body.len(), now, wall)
        };
        if script.present && status.as_u16() < 400 {
            // As the labs' mock server has them, whatever was used.
            for (name, value) in [("tokens", "5000"), ("requests", "50")] {
                let name = format!("x-ratelimit-remaining-{name}");
                if let Ok(name) = HeaderName::try_from(name) {
                    reply
                        .headers
                        .entry(name)
                        .or_insert(HeaderValue::from_static(value));
                }
            }
        }
        reply
    }

    /// The fields of the body: a JSON object, or a form. Null where there is none to read.
    fn fields(&self, body: &[u8]) -> Result<Value, Box<Reply>> {
        if !self.target.operation().has_json_body() {
            let form = multipart::fields(&self.head.headers, body);
            return Ok(form.unwrap_or_default());
        }
        if body.is_empty() && self.target.dialect() == Dialect::AzureOpenAi {
            // In the labs' mock server's words.
            let message = json!({"message": "No JSON data found in the request"});
            return Err(Box::new(Reply::json(StatusCode::BAD_REQUEST, &message)));
        }
        match serde_json::from_slice(body) {
            Ok(fields @ Value::Object(_)) => Ok(fields),
            _ => {
                let message = "We could not parse the JSON body of your request";
                Err(Box::new(bad(message, None).reply(self.target.dialect())))
            }
        }
    }

    fn answer(
        &self,
        fields: &Value,
        script: &Script,
        status: StatusCode,
        body_len: usize,
        now: Instant,
        wall: SystemTime,
    ) -> Reply {
        let dialect = self.target.dialect();
        let config = &self.shared.config;
        let model = self
            .target
            .path_model()
            .or_else(|| fields.get("model")?.as_str());
        if let Some(refusal) = self.fault(fields, script, model) {
            return refusal.reply(dialect);
        }
        let model = model.unwrap_or(self.names.id);
        let asked = Asked {
            target: &self.target,
            query: self.head.uri.query(),
            model,
            body: fields,
            script,
            name: self.names.id,
            id: self.id,
            created: wall
                .duration_since(SystemTime::UNIX_EPOCH)
                .map_or(0, |since| since.as_secs()),
        };
        let Some(told) = self.tell(&asked, body_len) else {
            let message = format!(
                "Invalid URL ({} {})",
                self.head.method,
                self.head.uri.path()
            );
            return missing(&message, "unknown_url").reply(dialect);
        };
        let left = match self.shared.take(now, told.tokens) {
            Ok(left) => left,
            Err(wait) => return refusal::throttled(dialect, wait),
        };
        let pace = Pace {
            first: config.time_to_first_token,
            then: config.time_per_token,
        };
        let mut reply = Reply::plan(status, told.content, script, pace, told.output);
        if let (Some(limit), Some(left)) = (config.tokens_per_minute, left) {
            let facts = [("x-ratelimit-limit-tokens", limit), (REMAINING, left)];
            for (name, count) in facts {
                let name = HeaderName::from_static(name);
                reply.headers.entry(name).or_insert(count.into());
            }
        }
        reply
    }

    fn tell(&self, asked: &Asked<'_>, body_len: usize) -> Option<Told> {
        let dialect = self.target.dialect();
        Some(match (dialect, self.target.operation()) {
            (Dialect::Anthropic, Operation::Chat) => anthropic::messages(asked),
            (Dialect::Anthropic, Operation::CountTokens) => anthropic::count_tokens(asked),
            (Dialect::Gemini, Operation::Chat) => gemini::generate(asked),
            (Dialect::Gemini, Operation::CountTokens) => gemini::count_tokens(asked),
            (Dialect::Gemini, Operation::Embeddings) => gemini::embed(asked),
            (_, Operation::Chat) => openai_chat::chat(asked),
            (_, Operation::Completions) => openai_chat::completions(asked),
            (_, Operation::Responses) => responses::create(asked),
            (_, Operation::Embeddings) => embeddings::create(asked),
            (_, Operation::Images | Operation::ImageEdits) => images::create(asked),
            (_, Operation::Speech) => audio::speech(asked),
            (_, Operation::Transcription) => audio::transcription(asked, body_len),
            (_, Operation::Moderations) => moderation::create(asked),
            (_, Operation::Models) => {
                let path = self.head.uri.path();
                Told::plain(
                    models::answer(dialect, path, &self.shared.config.models)?,
                    0,
                )
            }
            _ if self.is_root() => Told::plain(json!({"message": "The simulator is up"}), 0),
            _ => return None,
        })
    }

    /// What is wrong with the call, in the order in which the vendors look.
    fn fault<'f>(
        &'f self,
        fields: &Value,
        script: &Script,
        model: Option<&str>,
    ) -> Option<Refusal<'f>> {
        let (dialect, operation) = (self.target.dialect(), self.target.operation());
        if script.refuse_stream_options && fields.get("stream_options").is_some() {
            let message = "Unrecognized request argument supplied: stream_options";
            return Some(bad(message, Some("stream_options")));
        }
        let asks_model = operation.needs_model() || operation == Operation::Responses;
        if model.is_none() && asks_model && dialect != Dialect::AzureAi {
            return Some(bad("you must provide a model parameter", Some("model")));
        }
        let served = &self.shared.config.models;
        let unknown = |model: &str| !served.iter().any(|served| **served == *model);
        if !served.is_empty() && model.is_some_and(unknown) {
            return Some(match dialect {
                Dialect::AzureOpenAi => missing(
                    "The API deployment for this resource does not exist",
                    "DeploymentNotFound",
                ),
                _ => missing("The model does not exist", "model_not_found"),
            });
        }
        let needed = needed(dialect, operation);
        let absent = needed.iter().find(|name| fields.get(**name).is_none())?;
        Some(bad("A required parameter is missing", Some(absent)))
    }

    fn is_allowed(&self) -> bool {
        let Some(key) = self.shared.config.api_key.as_deref() else {
            return true;
        };
        let headers = &self.head.headers;
        let value = |name| {
            headers
                .get(name)
                .and_then(|value: &HeaderValue| value.to_str().ok())
        };
        let bearer = value("authorization").and_then(|value| value.strip_prefix("Bearer "));
        let plain = ["api-key", "x-api-key", "x-goog-api-key"].map(value);
        let query = query_value(self.head.uri.query(), "key");
        [bearer, query]
            .into_iter()
            .chain(plain)
            .any(|given| given == Some(key))
    }

    fn is_root(&self) -> bool {
        self.head.method == Method::GET && self.head.uri.path() == "/"
    }
}

const REMAINING: &str = "x-ratelimit-remaining-tokens";

/// The fields without which a vendor refuses the call.
fn needed(dialect: Dialect, operation: Operation) -> &'static [&'static str] {
    match (dialect, operation) {
        (Dialect::Anthropic, Operation::Chat) => &["messages", "max_tokens"],
        (Dialect::Anthropic, Operation::CountTokens) => &["messages"],
        (Dialect::Gemini, Operation::Chat) => &["contents"],
        (Dialect::Gemini, _) => &[],
        (_, Operation::Chat) => &["messages"],
        (_, Operation::Completions | Operation::Images) => &["prompt"],
        (_, Operation::Embeddings | Operation::Speech | Operation::Moderations) => &["input"],
        _ => &[],
    }
}

/// Host and port as the caller wrote them.
fn authority(head: &request::Parts) -> String {
    let from_uri = head.uri.authority().map(Authority::as_str);
    let from_header = |headers: &HeaderMap| -> Option<String> {
        Some(headers.get(header::HOST)?.to_str().ok()?.to_owned())
    };
    from_uri
        .map(Into::into)
        .or_else(|| from_header(&head.headers))
        .unwrap_or_else(|| "localhost".into())
}

fn host(authority: &str) -> &str {
    match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => authority,
    }
}

fn id(shared: &Shared, name: &str) -> String {
    let number = shared.next_number();
    let half = |half: u8| {
        let mut hasher = DefaultHasher::new();
        (shared.config.seed, name, number, half).hash(&mut hasher);
        hasher.finish()
    };
    format!("{:016x}{:08x}", half(0), half(1) >> 32)
}
