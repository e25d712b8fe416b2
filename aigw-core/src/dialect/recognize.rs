//! Tells from a path what it asks for, and where in it that begins: pure.
//!
//! Words are read in any case and through their escapes, whoever the provider is: Azure reads them
//! so, and what no other provider reads it refuses itself. What we took for nobody's path, and a
//! provider then understood, would pass every policy.

use http::{HeaderMap, Method};

use super::{
    Dialect, Operation,
    path::{ANY, Segment, Tail, after, backwards, forwards},
    spelling::in_any_case,
};

/// What a path says.
#[derive(Clone, Copy, Debug)]
pub(super) struct Recognized<'p> {
    pub(super) dialect: Dialect,
    /// What the path asks for when it is asked with the right method.
    pub(super) operation: Operation,
    /// As it is written.
    pub(super) model: Option<&'p str>,
    pub(super) version: Option<&'static str>,
    /// The end of the path that stands behind mount, version and deployment.
    pub(super) resource: &'p str,
    /// The end of the resource that is nothing but words of the operation.
    pub(super) words: &'p str,
    pub(super) streams: bool,
}

impl<'p> Recognized<'p> {
    /// Reads a path whose end says what is asked, beside the `api-version` of the query.
    pub(super) fn known(
        method: &Method,
        path: &'p str,
        api_version: Option<&str>,
        headers: &HeaderMap,
    ) -> Option<Self> {
        let tail = Tail::of(path);
        gemini(method, path, &tail, headers)
            .or_else(|| azure_openai(path))
            .or_else(|| anthropic(path, &tail, headers))
            .or_else(|| api_version.and_then(|_| azure_ai(path)))
            .or_else(|| openai(path, &tail))
    }

    /// Reads a path whose end is nobody's, or is asked with another method.
    ///
    /// The mount ends with the first version, or where Azure's paths begin: a caller that could end
    /// it with a word of its own would leave the part of a provider's paths that a gateway serves.
    pub(super) fn unknown(path: &'p str, headers: &HeaderMap) -> Self {
        let found = |dialect, resource| Self::new(dialect, Operation::Other, resource);
        let by_header = |otherwise| {
            if headers.contains_key("anthropic-version") {
                Dialect::Anthropic
            } else {
                otherwise
            }
        };
        let mut before = "";
        let mut segments = forwards(path);
        while let Some(segment) = segments.next() {
            let next = segments.clone().next().unwrap_or_default();
            if is_openai(segment.text) && !in_any_case(before, "models") {
                return match version_of(next.text) {
                    Some("v1") => found(Dialect::AzureOpenAi, next.behind()).version(Some("v1")),
                    _ => found(Dialect::AzureOpenAi, segment.behind()),
                };
            }
            let version = version_of(segment.text);
            match version {
                Some("v1beta") if is_openai(next.text) => {
                    return found(Dialect::OpenAi, next.behind()).version(version);
                }
                Some("v1") if !headers.contains_key("x-goog-api-key") => {
                    return found(by_header(Dialect::OpenAi), segment.behind()).version(version);
                }
                Some(_) => return found(Dialect::Gemini, segment.behind()).version(version),
                None => before = segment.text,
            }
        }
        found(by_header(Dialect::OpenAi), path.trim_start_matches('/'))
    }

    fn new(dialect: Dialect, operation: Operation, resource: &'p str) -> Self {
        Self {
            dialect,
            operation,
            model: None,
            version: None,
            resource,
            words: "",
            streams: false,
        }
    }

    fn version(self, version: Option<&'static str>) -> Self {
        Self { version, ..self }
    }

    fn model(self, model: &'p str) -> Self {
        let model = Some(model);
        Self { model, ..self }
    }

    /// With the words that ask for its operation, unless names may stand among them.
    fn words(self, words: &'p str) -> Self {
        match self.operation {
            Operation::Models => self,
            _ => Self { words, ..self },
        }
    }
}

/// `…/models/{model}:{verb}` and `…/v1beta/models[/{model}]`; Google's SDK, which says `/v1/models`
/// as OpenAI's does, is known by the header of its key.
fn gemini<'p>(
    method: &Method,
    path: &'p str,
    tail: &Tail<'p>,
    headers: &HeaderMap,
) -> Option<Recognized<'p>> {
    let found = |operation, resource| {
        let (version, _) = behind_mount(path, resource);
        Recognized::new(Dialect::Gemini, operation, resource).version(version)
    };
    let is_models = |segment: Segment<'_>| in_any_case(segment.text, "models");
    let [last, before, further] = tail.segments;
    if is_models(before)
        && let Some((model, verb)) = last.text.rsplit_once(':')
        && let operation = gemini_operation(verb)
        // Verbs are posted; another colon in a model that is got is part of its name.
        && (method == Method::POST || operation != Operation::Other)
    {
        return Some(Recognized {
            streams: in_any_case(verb, "streamGenerateContent"),
            ..found(operation, before.onward).model(model)
        });
    }
    [(last, before), (before, further)]
        .into_iter()
        .filter(|(models, _)| is_models(*models))
        .find(|(_, mount)| is_beta(*mount) || headers.contains_key("x-goog-api-key"))
        .map(|(models, _)| found(Operation::Models, models.onward))
}

/// `/openai/deployments/{deployment}/…`, `/openai/v1/…` and `/openai/…`.
fn azure_openai(path: &str) -> Option<Recognized<'_>> {
    let unversioned = after(path, &["openai"])?;
    let found = |resource, (operation, words)| {
        Recognized::new(Dialect::AzureOpenAi, operation, resource).words(words)
    };
    if let Some(behind) = after(path, &["openai", "deployments"])
        && let Some((deployment, resource)) = behind.split_once('/')
    {
        let resource = resource.trim_start_matches('/');
        let known = openai_operation(&Tail::of(resource))?;
        // There are no models below a deployment.
        return (known.0 != Operation::Models).then(|| found(resource, known).model(deployment));
    }
    // Google's OpenAI dialect, and the first half of a model's name.
    let foreign = ["v1beta", "models"];
    if foreign
        .iter()
        .any(|before| after(path, &[before, "openai"]).is_some())
    {
        return None;
    }
    let versioned = after(path, &["openai", "v1"]);
    let resource = versioned.unwrap_or(unversioned);
    let known = openai_operation(&Tail::of(resource))?;
    Some(found(resource, known).version(versioned.and(Some("v1"))))
}

/// `…/messages`, `…/messages/count_tokens`, and the models for who sends `anthropic-version`.
fn anthropic<'p>(path: &'p str, tail: &Tail<'p>, headers: &HeaderMap) -> Option<Recognized<'p>> {
    // The messages of an OpenAI assistant's thread, and of a stored completion, are another thing.
    let foreign = ["threads", "completions"]
        .iter()
        .any(|owner| tail.ends_with(&[owner, ANY, "messages"]).is_some());
    if foreign {
        return None;
    }
    let (operation, words) = if let Some(words) = tail.ends_with(&["messages"]) {
        (Operation::Chat, words)
    } else if let Some(words) = tail.ends_with(&["messages", "count_tokens"]) {
        (Operation::CountTokens, words)
    } else if headers.contains_key("anthropic-version") {
        // Some clients send the header wherever they go.
        openai_operation(tail).filter(|(operation, _)| *operation == Operation::Models)?
    } else {
        return None;
    };
    let (version, resource) = behind_mount(path, words);
    let found = Recognized::new(Dialect::Anthropic, operation, resource);
    Some(found.version(version).words(words))
}

/// `…/models/…`, if it is inference. Whoever asks gives an `api-version`, as nobody else does.
fn azure_ai(path: &str) -> Option<Recognized<'_>> {
    let resource = after(path, &["models"])?;
    let (operation, _) = openai_operation(&Tail::of(resource))?;
    matches!(
        operation,
        Operation::Chat | Operation::Embeddings | Operation::Images
    )
    .then(|| Recognized::new(Dialect::AzureAi, operation, resource).words(resource))
}

fn openai<'p>(path: &'p str, tail: &Tail<'p>) -> Option<Recognized<'p>> {
    let (operation, words) = openai_operation(tail)?;
    let (version, resource) = match after(path, &["v1beta", "openai"]) {
        Some(resource) => (Some("v1beta"), resource),
        None => behind_mount(path, words),
    };
    let found = Recognized::new(Dialect::OpenAi, operation, resource);
    Some(found.version(version).words(words))
}

/// The version nearest to `words`, with which the path ends, and what stands behind it: there may
/// be more than the words, such as the `fim` of `/v1/fim/completions`. Without a version, the words
/// are all that is not the mount.
fn behind_mount<'p>(path: &'p str, words: &'p str) -> (Option<&'static str>, &'p str) {
    backwards(path)
        .skip_while(|segment| segment.onward.len() <= words.len())
        .find_map(|segment| Some((Some(version_of(segment.text)?), segment.behind())))
        .unwrap_or((None, words))
}

fn is_openai(segment: &str) -> bool {
    in_any_case(segment, "openai")
}

fn is_beta(segment: Segment<'_>) -> bool {
    version_of(segment.text).is_some_and(|version| version != "v1")
}

/// The version that a segment is.
fn version_of(segment: &str) -> Option<&'static str> {
    let mut versions = ["v1", "v1beta", "v1alpha"].into_iter();
    versions.find(|version| in_any_case(segment, version))
}

fn gemini_operation(verb: &str) -> Operation {
    let known = GEMINI.iter().find(|(word, _)| in_any_case(verb, word));
    known.map_or(Operation::Other, |(_, operation)| *operation)
}

const GEMINI: [(&str, Operation); 5] = [
    ("generateContent", Operation::Chat),
    ("streamGenerateContent", Operation::Chat),
    ("embedContent", Operation::Embeddings),
    ("batchEmbedContents", Operation::Embeddings),
    ("countTokens", Operation::CountTokens),
];

/// What a path that ends like this asks OpenAI for, and the words that say so.
fn openai_operation<'p>(tail: &Tail<'p>) -> Option<(Operation, &'p str)> {
    OPENAI
        .iter()
        .find_map(|(words, operation)| Some((*operation, tail.ends_with(words)?)))
}

/// Longer ends stand before those that they end with.
const OPENAI: [(&[&str], Operation); 13] = [
    (&["chat", "completions"], Operation::Chat),
    (&["completions"], Operation::Completions),
    (&["responses"], Operation::Responses),
    (&["embeddings"], Operation::Embeddings),
    (&["images", "generations"], Operation::Images),
    (&["images", "edits"], Operation::ImageEdits),
    (&["images", "variations"], Operation::ImageEdits),
    (&["audio", "speech"], Operation::Speech),
    (&["audio", "transcriptions"], Operation::Transcription),
    (&["audio", "translations"], Operation::Transcription),
    (&["moderations"], Operation::Moderations),
    (&["models"], Operation::Models),
    (&["models", ANY], Operation::Models),
];
