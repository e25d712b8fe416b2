use http::{HeaderMap, Method, Uri};

use super::{Dialect, Operation, query, recognize::Recognized, spelling};

/// What the head of a request says about the call: dialect, operation, and the model if it stands
/// in the path.
///
/// Recognition goes by the end of the path, so a gateway may be mounted under any prefix. A path or
/// method that is nobody's is [`Operation::Other`] in the dialect it resembles most. Azure reads
/// its own words in upper and lower case alike, and so do we where the path is Azure's; every other
/// word, and every name of a model or deployment, is read as it is spelt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    dialect: Dialect,
    operation: Operation,
    path_model: Option<Box<str>>,
    path_version: Option<&'static str>,
    api_version: Option<Box<str>>,
    streams: bool,
    allowed_method: Option<Method>,
    /// How many bytes at the end of the path are the resource.
    resource: usize,
}

impl Target {
    /// Reads the head of a request.
    #[must_use]
    pub fn recognize(method: &Method, uri: &Uri, headers: &HeaderMap) -> Self {
        let api_version = query::api_version(uri.query());
        let path = Recognized::of(method, uri.path(), api_version, headers);
        let fits = method_fits(method, path.operation);
        Self {
            dialect: path.dialect,
            operation: if fits {
                path.operation
            } else {
                Operation::Other
            },
            path_model: path.model.map(spelling::decoded),
            path_version: path.version,
            api_version: api_version.map(Into::into),
            streams: path.streams,
            allowed_method: (!fits).then(|| method_of(path.operation)),
            resource: path.resource.len(),
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
