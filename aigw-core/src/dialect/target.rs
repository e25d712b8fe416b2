use std::borrow::Cow;

use http::{HeaderMap, Method, Uri};

use super::{Dialect, Operation, query, recognize::Recognized, spelling};

/// What the head of a request says about the call: dialect, operation, and the model if it stands
/// in the path.
///
/// Recognition goes by the end of the path, so a gateway may be mounted under any prefix. A path or
/// method that is nobody's is [`Operation::Other`] in the dialect it resembles most; the first
/// version in it, or Azure's `openai`, ends its mount. Words are read in upper and lower case alike
/// and through percent-escapes, as the least strict providers read them; names of models and
/// deployments are read as they are spelt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    dialect: Dialect,
    operation: Operation,
    path_model: Option<Box<str>>,
    path_version: Option<&'static str>,
    api_version: Option<Box<str>>,
    streams: bool,
    allowed_method: Option<Method>,
    /// How many bytes at the end of the path are the resource, and how many of these are words alone.
    resource: usize,
    words: usize,
}

impl Target {
    /// Reads the head of a request.
    #[must_use]
    pub fn recognize(method: &Method, uri: &Uri, headers: &HeaderMap) -> Self {
        let api_version = query::api_version(uri.query());
        let path = uri.path();
        let known = Recognized::known(method, path, api_version, headers);
        let read = match known {
            Some(known) if method_fits(method, known.operation) => known,
            // The refusal speaks the caller's language.
            Some(Recognized { dialect, .. }) => Recognized {
                dialect,
                ..Recognized::unknown(path, headers)
            },
            None => Recognized::unknown(path, headers),
        };
        let asked = known.map(|known| known.operation);
        Self {
            dialect: read.dialect,
            operation: read.operation,
            path_model: read.model.map(spelling::decoded),
            path_version: read.version,
            api_version: api_version.map(Into::into),
            streams: read.streams,
            allowed_method: asked
                .filter(|asked| *asked != read.operation)
                .map(method_of),
            resource: read.resource.len(),
            words: read.words.len(),
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

    /// What the recognized `path` asks for, without where the gateway is mounted, without version
    /// and deployment: `chat/completions`, `files/f-1`, `models/g:countTokens`.
    ///
    /// Borrowed, so that every escape stands as the caller wrote it. `None` where nothing stands
    /// behind the mount. A path that has been mounted elsewhere since may be given in place of the
    /// recognized one, but no other.
    #[must_use]
    pub fn resource<'p>(&self, path: &'p str) -> Option<&'p str> {
        let start = path.len().checked_sub(self.resource)?;
        path.get(start..).filter(|resource| !resource.is_empty())
    }

    /// The same with the operation's words as the strictest provider reads them: in lower case and
    /// without escapes. What may hold names stays as it is written.
    #[must_use]
    pub fn plain_resource<'p>(&self, path: &'p str) -> Option<Cow<'p, str>> {
        let resource = self.resource(path)?;
        let (written, words) = resource.split_at_checked(resource.len() - self.words)?;
        let plain = spelling::plain(words);
        Some(if plain == words {
            Cow::Borrowed(resource)
        } else {
            Cow::Owned(format!("{written}{plain}"))
        })
    }

    /// The model that the path names: an Azure deployment or a Gemini model, percent-decoded.
    #[must_use]
    pub fn path_model(&self) -> Option<&str> {
        self.path_model.as_deref()
    }

    /// The version that stands in front of the resource: `v1`, `v1beta` or `v1alpha`.
    #[must_use]
    pub fn path_version(&self) -> Option<&'static str> {
        self.path_version
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

/// Whether this method asks for the operation. OpenAI lists stored completions with a GET on the
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

#[cfg(test)]
mod tests;
