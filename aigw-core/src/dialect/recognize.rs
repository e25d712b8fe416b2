//! Tells from a path what it asks for, and where in it that begins: pure.

use http::{HeaderMap, Method};

use super::{
    Dialect, Operation,
    path::{ANY, Same, Tail, after, backwards},
    spelling::{exact, in_any_case},
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
    pub(super) streams: bool,
}

impl<'p> Recognized<'p> {
    /// Reads a path, beside the `api-version` of the query.
    pub(super) fn of(
        method: &Method,
        path: &'p str,
        api_version: Option<&str>,
        headers: &HeaderMap,
    ) -> Self {
        let tail = Tail::of(path);
        gemini(path, &tail, method, headers)
            .or_else(|| azure_openai(path))
            .or_else(|| anthropic(path, &tail, headers))
            .or_else(|| api_version.and_then(|_| azure_ai(path)))
            .unwrap_or_else(|| openai(path, &tail))
    }

    fn new(dialect: Dialect, operation: Operation, resource: &'p str) -> Self {
        Self {
            dialect,
            operation,
            model: None,
            version: None,
            resource,
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
}

/// `…/models/{model}:{verb}` and `…/v1beta/models[/{model}]`; Google's SDK, which says `/v1/models`
/// as OpenAI's does, is known by the header of its key.
fn gemini<'p>(
    path: &'p str,
    tail: &Tail<'p>,
    method: &Method,
    headers: &HeaderMap,
) -> Option<Recognized<'p>> {
    let found = |operation, resource| {
        let (version, _) = behind_mount(path, Some(resource));
        Recognized::new(Dialect::Gemini, operation, resource).version(version)
    };
    let is_beta = |segment| exact(segment, "v1beta") || exact(segment, "v1alpha");
    let [last, before, further] = tail.segments;
    if exact(before.text, "models")
        && let Some((model, verb)) = last.text.rsplit_once(':')
        && let operation = gemini_operation(verb)
        // Verbs are posted; another colon in a model that is got is part of its name.
        && (method == Method::POST || operation != Operation::Other)
    {
        return Some(Recognized {
            streams: exact(verb, "streamGenerateContent"),
            ..found(operation, before.onward).model(model)
        });
    }
    let models = [(last, before), (before, further)]
        .into_iter()
        .filter(|(models, _)| exact(models.text, "models"))
        .find(|(_, mount)| is_beta(mount.text) || headers.contains_key("x-goog-api-key"));
    if let Some((models, _)) = models {
        return Some(found(Operation::Models, models.onward));
    }
    // Google serves an OpenAI dialect under `/v1beta/openai/`.
    (is_beta(before.text) && !exact(last.text, "openai"))
        .then(|| found(Operation::Other, last.onward))
}

/// `/openai/deployments/{deployment}/…`, `/openai/v1/…` and `/openai/…`.
fn azure_openai(path: &str) -> Option<Recognized<'_>> {
    let after = |marker: &[&str]| after(path, marker, in_any_case);
    let found = |resource| {
        let known = openai_operation(&Tail::of(resource), in_any_case);
        let operation = known.map_or(Operation::Other, |(operation, _)| operation);
        Recognized::new(Dialect::AzureOpenAi, operation, resource)
    };
    let resource = after(&["openai"])?;
    if let Some(behind) = after(&["openai", "deployments"]).filter(|behind| !behind.is_empty()) {
        let (deployment, resource) = behind.split_once('/').unwrap_or((behind, ""));
        let resource = resource.trim_start_matches('/');
        return Some(found(resource).model(deployment));
    }
    // Google's OpenAI dialect, and the first half of a model's name.
    let foreign = ["v1beta", "models"];
    if foreign
        .iter()
        .any(|before| after(&[before, "openai"]).is_some())
    {
        return None;
    }
    Some(match after(&["openai", "v1"]) {
        Some(resource) => found(resource).version(Some("v1")),
        None => found(resource),
    })
}

/// `…/messages`, `…/messages/count_tokens`, and what else is asked by who sends
/// `anthropic-version`.
fn anthropic<'p>(path: &'p str, tail: &Tail<'p>, headers: &HeaderMap) -> Option<Recognized<'p>> {
    let ends_with = |words: &[&str]| tail.ends_with(words, exact);
    // The messages of an OpenAI assistant's thread, and of a stored completion, are another thing.
    let foreign = ["threads", "completions"]
        .iter()
        .any(|owner| ends_with(&[owner, ANY, "messages"]).is_some());
    if foreign {
        return None;
    }
    let (operation, words) = if let Some(words) = ends_with(&["messages"]) {
        (Operation::Chat, Some(words))
    } else if let Some(words) = ends_with(&["messages", "count_tokens"]) {
        (Operation::CountTokens, Some(words))
    } else if !headers.contains_key("anthropic-version") {
        return None;
    } else {
        match openai_operation(tail, exact) {
            Some((Operation::Models, words)) => (Operation::Models, Some(words)),
            // Some clients send the header wherever they go.
            Some(_) => return None,
            None => (Operation::Other, None),
        }
    };
    let (version, resource) = behind_mount(path, words);
    Some(Recognized::new(Dialect::Anthropic, operation, resource).version(version))
}

/// `…/models/…`, if it is inference. Whoever asks gives an `api-version`, as nobody else does.
fn azure_ai(path: &str) -> Option<Recognized<'_>> {
    let resource = after(path, &["models"], in_any_case)?;
    let (operation, _) = openai_operation(&Tail::of(resource), in_any_case)?;
    matches!(
        operation,
        Operation::Chat | Operation::Embeddings | Operation::Images
    )
    .then(|| Recognized::new(Dialect::AzureAi, operation, resource))
}

fn openai<'p>(path: &'p str, tail: &Tail<'p>) -> Recognized<'p> {
    let (operation, words) = openai_operation(tail, exact).unzip();
    let (version, resource) = match after(path, &["v1beta", "openai"], in_any_case) {
        Some(resource) => (Some("v1beta"), resource),
        None => behind_mount(path, words),
    };
    let operation = operation.unwrap_or(Operation::Other);
    Recognized::new(Dialect::OpenAi, operation, resource).version(version)
}

/// The version in front of `words`, with which the path ends, and what stands behind it: there may
/// be more than the words, such as the `fim` of `/v1/fim/completions`. Without a version, the words
/// are all that is not the mount; without words as well, nothing is known to be the mount.
///
/// The nearest version counts, but where no words say what is asked: there a caller could hide with
/// a version of its own what it asks for, and leave the part of a provider's paths that a gateway
/// serves.
fn behind_mount<'p>(path: &'p str, words: Option<&'p str>) -> (Option<&'static str>, &'p str) {
    let mut versioned = backwards(path)
        .skip_while(|segment| segment.onward.len() <= words.map_or(0, str::len))
        .filter_map(|segment| {
            let mut versions = ["v1", "v1beta", "v1alpha"].into_iter();
            let version = versions.find(|version| exact(segment.text, version))?;
            Some((Some(version), segment.behind()))
        });
    match words {
        Some(words) => versioned.next().unwrap_or((None, words)),
        None => versioned
            .last()
            .unwrap_or_else(|| (None, path.trim_start_matches('/'))),
    }
}

fn gemini_operation(verb: &str) -> Operation {
    let known = GEMINI.iter().find(|(word, _)| exact(verb, word));
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
fn openai_operation<'p>(tail: &Tail<'p>, same: Same) -> Option<(Operation, &'p str)> {
    OPENAI
        .iter()
        .find_map(|(words, operation)| Some((*operation, tail.ends_with(words, same)?)))
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
