use std::{error::Error, fmt};

use aigw_core::dialect::{Dialect, Operation, Target, spelling};
use http::Uri;

use super::Upstream;

/// The URL to send a call to.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rewrite {
    /// The absolute URL.
    pub uri: Uri,
    /// Whether the backend reads the model from this URL. If not, it must stand in the body.
    pub names_model: bool,
}

/// Maps the URL of a call to the one that a backend serves it at.
///
/// `model` is the model to send on, before it is mapped to its [deployment](Upstream::deployment).
/// The query is kept but for `api-version`, which is the backend's own ([`Upstream::api_version`])
/// or, between Azure dialects, the caller's. The words of a known
/// operation are sent on in lower case and without escapes, as every provider reads them.
///
/// | caller | OpenAI | Azure OpenAI | Azure AI |
/// |---|---|---|---|
/// | `…/v1/chat/completions` | `/v1/chat/completions` | `/openai/deployments/{d}/chat/completions?api-version=` | `/models/chat/completions?api-version=` |
/// | `…/openai/deployments/{d}/embeddings` | `/v1/embeddings` | `/openai/deployments/{d}/embeddings?api-version=` | `/models/embeddings?api-version=` |
/// | `…/openai/v1/responses` | `/v1/responses` | `/openai/v1/responses` | – |
///
/// # Errors
///
/// [`RewriteError`] where the backend's dialect has no words for the call, and where servers would
/// differ on what its path asks for.
pub fn rewrite(
    target: &Target,
    model: Option<&str>,
    asked: &Uri,
    upstream: &Upstream,
) -> Result<Rewrite, RewriteError> {
    if !compatible(target, upstream.dialect) {
        return Err(RewriteError::Dialect {
            from: target.dialect(),
            to: upstream.dialect,
        });
    }
    let resource = target
        .plain_resource(asked.path())
        .ok_or(RewriteError::Path)?;
    let deployment = model.map(|model| upstream.deployment_of(model));
    let ambiguous =
        target.operation() == Operation::Other && is_ambiguous(&resource, target.dialect());
    if ambiguous || resource.split('/').chain(deployment).any(is_dots) {
        return Err(RewriteError::Path);
    }
    let version = api_version(target, upstream);

    let mut path = String::from(&*upstream.prefix);
    let mut names_model = false;
    match upstream.dialect {
        Dialect::AzureOpenAi => match (version, deployment) {
            // The unversioned API reads the model from the body, as OpenAI does.
            (None, _) => path.push_str("/openai/v1/"),
            (Some(_), Some(deployment)) if has_deployment(target.operation()) => {
                path.push_str("/openai/deployments/");
                push_segment(&mut path, deployment);
                path.push('/');
                names_model = true;
            }
            (Some(_), _) => path.push_str("/openai/"),
        },
        Dialect::AzureAi => {
            if !path.ends_with("/models") {
                path.push_str("/models");
            }
            path.push('/');
        }
        Dialect::Gemini => {
            path.push('/');
            if !upstream.is_versioned() {
                path.push_str(target.path_version().unwrap_or("v1beta"));
                path.push('/');
            }
            names_model = target.path_model().is_some();
        }
        _ => path.push_str(if upstream.is_versioned() { "/" } else { "/v1/" }),
    }
    match (upstream.dialect, deployment, resource.rsplit_once(':')) {
        (Dialect::Gemini, Some(model), Some((_, verb))) if names_model => {
            path.push_str("models/");
            push_segment(&mut path, model);
            path.push(':');
            path.push_str(verb);
        }
        _ => path.push_str(&resource),
    }
    push_query(&mut path, asked.query(), version);

    let uri = Uri::builder()
        .scheme(upstream.scheme.clone())
        .authority(upstream.authority.clone())
        .path_and_query(path)
        .build()
        .map_err(RewriteError::Uri)?;
    Ok(Rewrite { uri, names_model })
}

/// Whether the backend's dialect has the operation and the body that the caller sends.
fn compatible(target: &Target, backend: Dialect) -> bool {
    let family = |dialect| match dialect {
        Dialect::OpenAi | Dialect::AzureOpenAi | Dialect::AzureAi => Dialect::OpenAi,
        other => other,
    };
    let inference = matches!(
        target.operation(),
        Operation::Chat | Operation::Embeddings | Operation::Images
    );
    family(target.dialect()) == family(backend)
        && (backend != Dialect::AzureAi || inference || target.dialect() == Dialect::AzureAi)
}

/// Whether a segment would lead elsewhere once the path is normalised: to what the backend's key
/// opens, but no caller may ask for.
fn is_dots(segment: &str) -> bool {
    let is_dots = |part: &str| matches!(part, "." | "..");
    parted(segment).replace("%2e", ".").split('/').any(is_dots)
}

/// Whether servers differ on what an unknown operation is: `chat%2Fcompletions` asks some for a
/// completion, and perhaps `g%3AgenerateContent`.
fn is_ambiguous(resource: &str, dialect: Dialect) -> bool {
    let hides_verb = dialect == Dialect::Gemini && resource.to_ascii_lowercase().contains("%3a");
    hides_verb
        || resource
            .split('/')
            .any(|segment| parted(segment).contains('/'))
}

/// A segment in lower case, with a slash for all that parts segments to some servers.
fn parted(segment: &str) -> String {
    let segment = segment.to_ascii_lowercase();
    segment
        .replace("%2f", "/")
        .replace("%5c", "/")
        .replace('\\', "/")
}

/// The `api-version` to send, if any.
fn api_version<'v>(target: &'v Target, upstream: &'v Upstream) -> Option<&'v str> {
    match upstream.dialect {
        Dialect::AzureOpenAi | Dialect::AzureAi => {
            let own = upstream.api_version.as_deref();
            own.or_else(|| target.api_version())
        }
        _ => None,
    }
}

/// Whether Azure OpenAI serves an operation under `/deployments/{deployment}/`.
fn has_deployment(operation: Operation) -> bool {
    matches!(
        operation,
        Operation::Chat
            | Operation::Completions
            | Operation::Embeddings
            | Operation::Images
            | Operation::ImageEdits
            | Operation::Speech
            | Operation::Transcription
    )
}

/// Appends the caller's query, with `version` as its only `api-version`.
fn push_query(path: &mut String, asked: Option<&str>, version: Option<&str>) {
    let kept = asked
        .into_iter()
        .flat_map(|query| query.split('&'))
        .filter(|pair| !pair.is_empty() && !is_api_version(pair));
    let mut separator = '?';
    let mut push = |parts: [&str; 2]| {
        path.push(separator);
        parts.iter().for_each(|part| path.push_str(part));
        separator = '&';
    };
    kept.for_each(|pair| push([pair, ""]));
    if let Some(version) = version {
        push(["api-version=", version]);
    }
}

/// Whether Azure would read a parameter as the version.
fn is_api_version(pair: &str) -> bool {
    let name = pair.split('=').next().unwrap_or_default();
    spelling::in_any_case(name, "api-version")
}

/// Appends one path segment, percent-encoding what may not stand in it.
fn push_segment(path: &mut String, segment: &str) {
    for byte in segment.bytes() {
        // RFC 3986: unreserved, and the few others that a segment may hold and model names do.
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b':' | b'@') {
            path.push(char::from(byte));
        } else {
            path.push('%');
            for digit in [byte >> 4, byte & 0xf] {
                let digit = char::from_digit(digit.into(), 16);
                path.extend(digit.map(|digit| digit.to_ascii_uppercase()));
            }
        }
    }
}

/// A call that a backend cannot be asked.
#[derive(Debug)]
#[non_exhaustive]
pub enum RewriteError {
    /// The backend speaks another dialect, or its dialect does not have the operation.
    #[non_exhaustive]
    Dialect {
        /// The caller's.
        from: Dialect,
        /// The backend's.
        to: Dialect,
    },
    /// The path names nothing to ask for, leads out of itself with `..`, or is that of an unknown
    /// operation with an escaped slash, which parts segments to some servers.
    Path,
    /// The model must change, and stands in a body that is passed through unread.
    OpaqueModel,
    /// What came out is not a URL.
    Uri(http::Error),
}

impl fmt::Display for RewriteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dialect { from, to } => {
                write!(f, "a call in the dialect {from} cannot be sent to {to}")
            }
            Self::Path => f.write_str("the request path is ambiguous"),
            Self::OpaqueModel => f.write_str("the model of an upload cannot be changed"),
            Self::Uri(_) => f.write_str("the path does not form a URL"),
        }
    }
}

impl Error for RewriteError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Uri(error) => Some(error),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests;
