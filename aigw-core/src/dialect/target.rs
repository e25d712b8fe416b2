use std::borrow::Cow;

use http::{HeaderMap, Method, Uri};

use super::{Dialect, Operation};

/// What the head of a request says about the call: dialect, operation, and the model if it stands
/// in the path.
///
/// Recognition goes by the end of the path, so a gateway may be mounted under any prefix. A path or
/// method that is nobody's is [`Operation::Other`] in the dialect it resembles most.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    dialect: Dialect,
    operation: Operation,
    path_model: Option<Box<str>>,
    api_version: Option<Box<str>>,
    streams: bool,
    allowed_method: Option<Method>,
}

impl Target {
    /// Reads the head of a request.
    #[must_use]
    pub fn recognize(method: &Method, uri: &Uri, headers: &HeaderMap) -> Self {
        let path = plainly_spelt(uri.path());
        let path = Path::new(&path);
        let mut target = path
            .gemini(method, headers)
            .or_else(|| path.azure_openai())
            .or_else(|| path.anthropic(headers))
            .unwrap_or_else(|| path.openai(uri.query()));
        if !method_fits(method, target.operation) {
            target.allowed_method = Some(method_of(target.operation));
            target.operation = Operation::Other;
        }
        target.api_version = query_value(uri.query(), "api-version").map(Into::into);
        target
    }

    fn new(dialect: Dialect, operation: Operation) -> Self {
        Self {
            dialect,
            operation,
            path_model: None,
            api_version: None,
            streams: false,
            allowed_method: None,
        }
    }

    /// Whose words the caller speaks, and so the shape of a refusal.
    #[must_use]
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// What is asked.
    #[must_use]
    pub fn operation(&self) -> Operation {
        self.operation
    }

    /// The model that the path names: an Azure deployment or a Gemini model, percent-decoded.
    #[must_use]
    pub fn path_model(&self) -> Option<&str> {
        self.path_model.as_deref()
    }

    /// The `api-version` of the query.
    #[must_use]
    pub fn api_version(&self) -> Option<&str> {
        self.api_version.as_deref()
    }

    /// Whether the path itself asks for a stream, as Gemini's `streamGenerateContent` does.
    #[must_use]
    pub fn streams(&self) -> bool {
        self.streams
    }

    /// The method that would have asked for the operation of this path, where another one made it
    /// [`Operation::Other`]: what a 405 names in `allow`.
    #[must_use]
    pub fn allowed_method(&self) -> Option<&Method> {
        self.allowed_method.as_ref()
    }
}

fn gemini_operation(verb: &str) -> Operation {
    match verb {
        "generateContent" | "streamGenerateContent" => Operation::Chat,
        "embedContent" | "batchEmbedContents" => Operation::Embeddings,
        "countTokens" => Operation::CountTokens,
        _ => Operation::Other,
    }
}

/// The method that an operation is asked with. OpenAI lists stored completions with a GET on the
/// path that creates them, and so on: those are other operations.
fn method_fits(method: &Method, operation: Operation) -> bool {
    match operation {
        Operation::Other => true,
        Operation::Models if method == Method::HEAD => true,
        _ => *method == method_of(operation),
    }
}

fn method_of(operation: Operation) -> Method {
    match operation {
        Operation::Models => Method::GET,
        _ => Method::POST,
    }
}

/// A path as segments, empty ones dropped.
struct Path<'p>(Vec<&'p str>);

impl<'p> Path<'p> {
    fn new(path: &'p str) -> Self {
        Self(
            path.split('/')
                .filter(|segment| !segment.is_empty())
                .collect(),
        )
    }

    /// The segments after the last place where `marker` stands.
    fn after(&self, marker: &[&str]) -> Option<&[&'p str]> {
        let start = self
            .0
            .windows(marker.len())
            .rposition(|segments| segments == marker)?;
        self.0.get(start + marker.len()..)
    }

    /// `…/models/{model}:{verb}` and `…/v1beta/models[/{model}]`; Google's SDK, which says
    /// `/v1/models` as OpenAI's does, is known by the header of its key.
    fn gemini(&self, method: &Method, headers: &HeaderMap) -> Option<Target> {
        if let [.., "models", last] = self.0.as_slice()
            && let Some((model, verb)) = last.rsplit_once(':')
            && let operation = gemini_operation(verb)
            // Verbs are posted; another colon in a model that is got is part of its name.
            && (method == Method::POST || operation != Operation::Other)
        {
            let mut target = Target::new(Dialect::Gemini, operation);
            target.path_model = Some(percent_decoded(model));
            target.streams = verb == "streamGenerateContent";
            return Some(target);
        }
        match self.0.as_slice() {
            [.., "v1beta" | "v1alpha", "models"] | [.., "v1beta" | "v1alpha", "models", _] => {
                Some(Target::new(Dialect::Gemini, Operation::Models))
            }
            [.., "models"] | [.., "models", _] if headers.contains_key("x-goog-api-key") => {
                Some(Target::new(Dialect::Gemini, Operation::Models))
            }
            // Google serves an OpenAI dialect under `/v1beta/openai/`.
            [.., "v1beta" | "v1alpha", rest] if *rest != "openai" => {
                Some(Target::new(Dialect::Gemini, Operation::Other))
            }
            _ => None,
        }
    }

    /// `/openai/deployments/{deployment}/…`, `/openai/v1/…` and `/openai/…`.
    fn azure_openai(&self) -> Option<Target> {
        if let Some([deployment, rest @ ..]) = self.after(&["openai", "deployments"]) {
            let mut target = Target::new(Dialect::AzureOpenAi, openai_operation(rest));
            target.path_model = Some(percent_decoded(deployment));
            return Some(target);
        }
        if self.after(&["v1beta", "openai"]).is_some() {
            return None;
        }
        let rest = self
            .after(&["openai", "v1"])
            .or_else(|| self.after(&["openai"]))?;
        Some(Target::new(Dialect::AzureOpenAi, openai_operation(rest)))
    }

    fn anthropic(&self, headers: &HeaderMap) -> Option<Target> {
        let operation = match self.0.as_slice() {
            [.., "messages"] => Operation::Chat,
            [.., "messages", "count_tokens"] => Operation::CountTokens,
            _ if !headers.contains_key("anthropic-version") => return None,
            [.., "models"] | [.., "models", _] => Operation::Models,
            // Some clients send the header wherever they go.
            path if openai_operation(path) != Operation::Other => return None,
            _ => Operation::Other,
        };
        // The messages of an OpenAI assistant's thread, and of a stored completion, are another
        // thing.
        let foreign = matches!(
            self.0.as_slice(),
            [.., "threads" | "completions", _, "messages"]
        );
        (!foreign).then(|| Target::new(Dialect::Anthropic, operation))
    }

    fn openai(&self, query: Option<&str>) -> Target {
        let operation = openai_operation(&self.0);
        let inference = matches!(
            operation,
            Operation::Chat | Operation::Embeddings | Operation::Images
        );
        if inference
            && query_value(query, "api-version").is_some()
            && self.after(&["models"]).is_some()
        {
            return Target::new(Dialect::AzureAi, operation);
        }
        Target::new(Dialect::OpenAi, operation)
    }
}

fn openai_operation(path: &[&str]) -> Operation {
    match path {
        [.., "chat", "completions"] => Operation::Chat,
        [.., "completions"] => Operation::Completions,
        [.., "responses"] => Operation::Responses,
        [.., "embeddings"] => Operation::Embeddings,
        [.., "images", "generations"] => Operation::Images,
        [.., "images", "edits" | "variations"] => Operation::ImageEdits,
        [.., "audio", "speech"] => Operation::Speech,
        [.., "audio", "transcriptions" | "translations"] => Operation::Transcription,
        [.., "moderations"] => Operation::Moderations,
        [.., "models"] | [.., "models", _] => Operation::Models,
        _ => Operation::Other,
    }
}

/// The value of the first `name=value` in a query, as it stands.
pub(crate) fn query_value<'q>(query: Option<&'q str>, name: &str) -> Option<&'q str> {
    query?
        .split('&')
        .find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))
}

/// The path without escapes that mean nothing (RFC 3986, section 6.2.2.2): a provider reads
/// `/chat/%63ompletions` as what it is, and so must whoever decides by it.
fn plainly_spelt(path: &str) -> Cow<'_, str> {
    if !path.contains('%') {
        return Cow::Borrowed(path);
    }
    let unreserved =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
    Cow::Owned(decoded(path, unreserved).into())
}

fn percent_decoded(segment: &str) -> Box<str> {
    if !segment.contains('%') {
        return segment.into();
    }
    decoded(segment, |_| true)
}

/// Decodes the escapes of the bytes that are `meant`.
fn decoded(text: &str, meant: impl Fn(u8) -> bool) -> Box<str> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        let mut ahead = bytes.clone();
        let escaped = (byte == b'%')
            .then(|| Some((hex_digit(ahead.next()?)? << 4) | hex_digit(ahead.next()?)?))
            .flatten()
            .filter(|escaped| meant(*escaped));
        if escaped.is_some() {
            bytes = ahead;
        }
        decoded.push(escaped.unwrap_or(byte));
    }
    String::from_utf8_lossy(&decoded).into()
}

fn hex_digit(byte: u8) -> Option<u8> {
    char::from(byte)
        .to_digit(16)
        .and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(method: &str, uri: &str) -> Target {
        let head = http::Request::builder()
            .method(method)
            .uri(uri)
            .body(())
            .unwrap();
        Target::recognize(head.method(), head.uri(), head.headers())
    }

    #[test]
    fn recognizes_every_dialect_and_operation() {
        use Dialect::*;
        use Operation::*;
        let cases: &[(&str, Dialect, Operation, Option<&str>)] = &[
            ("/v1/chat/completions", OpenAi, Chat, None),
            ("/chat/completions", OpenAi, Chat, None),
            ("/team/a/v1/completions", OpenAi, Completions, None),
            ("/v1/responses", OpenAi, Responses, None),
            ("/v1/embeddings", OpenAi, Embeddings, None),
            ("/v1/images/generations", OpenAi, Images, None),
            ("/v1/images/edits", OpenAi, ImageEdits, None),
            ("/v1/audio/speech", OpenAi, Speech, None),
            ("/v1/audio/translations", OpenAi, Transcription, None),
            ("/v1/moderations", OpenAi, Moderations, None),
            ("/v1/files", OpenAi, Other, None),
            ("/v1/responses/resp_1/cancel", OpenAi, Other, None),
            ("/v1/threads/t/messages", OpenAi, Other, None),
            ("/v1beta/openai/chat/completions", OpenAi, Chat, None),
            (
                "/openai/deployments/a%20b/chat/completions",
                AzureOpenAi,
                Chat,
                Some("a b"),
            ),
            (
                "/x/openai/deployments/e/embeddings?api-version=1",
                AzureOpenAi,
                Embeddings,
                Some("e"),
            ),
            ("/openai/v1/responses", AzureOpenAi, Responses, None),
            (
                "/openai/responses?api-version=1",
                AzureOpenAi,
                Responses,
                None,
            ),
            (
                "/models/chat/completions?api-version=1",
                AzureAi,
                Chat,
                None,
            ),
            (
                "/models/images/embeddings?api-version=1",
                AzureAi,
                Embeddings,
                None,
            ),
            ("/v1/messages", Anthropic, Chat, None),
            ("/v1/messages/count_tokens", Anthropic, CountTokens, None),
            (
                "/v1beta/models/gemini-2.0-flash:generateContent",
                Gemini,
                Chat,
                Some("gemini-2.0-flash"),
            ),
            (
                "/v1/projects/p/locations/l/publishers/google/models/g:streamGenerateContent",
                Gemini,
                Chat,
                Some("g"),
            ),
            (
                "/v1beta/models/e:batchEmbedContents",
                Gemini,
                Embeddings,
                Some("e"),
            ),
        ];
        for (uri, dialect, operation, model) in cases {
            let target = of("POST", uri);
            assert_eq!(
                (target.dialect(), target.operation()),
                (*dialect, *operation),
                "{uri}"
            );
            assert_eq!(target.path_model(), *model, "{uri}");
        }
    }

    #[test]
    fn lists_models_in_the_dialect_of_path_or_header() {
        assert_eq!(of("GET", "/v1/models").dialect(), Dialect::OpenAi);
        assert_eq!(
            of("GET", "/v1/models/gpt-4o").operation(),
            Operation::Models
        );
        assert_eq!(of("GET", "/v1beta/models").dialect(), Dialect::Gemini);
        let mut headers = HeaderMap::new();
        headers.insert("anthropic-version", "2023-06-01".parse().unwrap());
        let target = Target::recognize(&Method::GET, &Uri::from_static("/v1/models"), &headers);
        assert_eq!(
            (target.dialect(), target.operation()),
            (Dialect::Anthropic, Operation::Models)
        );
        let mut headers = HeaderMap::new();
        headers.insert("x-goog-api-key", "k".parse().unwrap());
        let target = Target::recognize(&Method::GET, &Uri::from_static("/v1/models/g"), &headers);
        assert_eq!(
            (target.dialect(), target.operation()),
            (Dialect::Gemini, Operation::Models)
        );
    }

    #[test]
    fn another_method_knows_the_right_one() {
        let allowed = |method, uri| of(method, uri).allowed_method().cloned();
        assert_eq!(allowed("GET", "/v1/embeddings"), Some(Method::POST));
        assert_eq!(allowed("POST", "/v1/models"), Some(Method::GET));
        let gemini = allowed("GET", "/v1beta/models/g:generateContent");
        assert_eq!(gemini, Some(Method::POST));
        assert_eq!(allowed("HEAD", "/v1/models"), None);
        assert_eq!(allowed("GET", "/v1/files"), None);
    }

    #[test]
    fn what_is_openai_by_its_path_is_so_whatever_else_is_sent() {
        let mut headers = HeaderMap::new();
        headers.insert("anthropic-version", "2023-06-01".parse().unwrap());
        let uri = Uri::from_static("/v1/chat/completions");
        let target = Target::recognize(&Method::POST, &uri, &headers);
        assert_eq!(target.dialect(), Dialect::OpenAi);
        assert_eq!(target.operation(), Operation::Chat);
        let tuned = of("GET", "/v1/models/ft:gpt-4o:org::id");
        assert_eq!(tuned.dialect(), Dialect::OpenAi);
        assert_eq!(tuned.operation(), Operation::Models);
    }

    #[test]
    fn another_method_is_another_operation() {
        assert_eq!(
            of("GET", "/v1/chat/completions").operation(),
            Operation::Other
        );
        assert_eq!(
            of("DELETE", "/v1/models/ft:m").operation(),
            Operation::Other
        );
    }

    #[test]
    fn only_gemini_streams_by_path() {
        assert!(of("POST", "/v1beta/models/g:streamGenerateContent?alt=sse").streams());
        assert!(!of("POST", "/v1beta/models/g:generateContent").streams());
    }

    #[test]
    fn an_operation_cannot_hide_behind_its_spelling() {
        let target = of("POST", "/%761/chat/%63ompletions");
        assert_eq!(
            (target.dialect(), target.operation()),
            (Dialect::OpenAi, Operation::Chat)
        );
        let target = of("POST", "/openai/%64eployments/a%2Fb%2563/chat/completions");
        assert_eq!(
            (target.dialect(), target.path_model()),
            (Dialect::AzureOpenAi, Some("a/b%63"))
        );
    }

    #[test]
    fn a_bad_percent_escape_stays_as_it_is() {
        assert_eq!(&*percent_decoded("a%2"), "a%2");
        assert_eq!(&*percent_decoded("%zz%41"), "%zzA");
        assert_eq!(&*percent_decoded("%ff"), "\u{fffd}");
    }
}
