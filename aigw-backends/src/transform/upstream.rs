use std::{collections::BTreeMap, error::Error, fmt};

use aigw_core::dialect::Dialect;
use http::{
    Uri,
    uri::{Authority, Scheme},
};

/// Where a backend is, and in which words it is asked.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Upstream {
    pub(super) scheme: Scheme,
    pub(super) authority: Authority,
    /// The path that stands before every other: empty, or `/…` without a slash at its end.
    pub(super) prefix: Box<str>,
    pub(super) dialect: Dialect,
    pub(super) deployments: BTreeMap<Box<str>, Box<str>>,
    pub(super) api_version: Option<Box<str>>,
}

impl Upstream {
    /// A backend at `base`, asked in `dialect`.
    ///
    /// The path of `base` stands before every path that is sent. One that names a version (`/v1`,
    /// `/v1beta/openai`) says how the provider numbers its API; else `/v1` is added where the
    /// dialect has it, and `/openai` or `/models` for Azure.
    ///
    /// # Errors
    ///
    /// The URL must be absolute, `http` or `https`, and hold neither query nor user and password.
    pub fn try_new(base: Uri, dialect: Dialect) -> Result<Self, ConfigError> {
        let parts = base.into_parts();
        let scheme = parts
            .scheme
            .filter(|scheme| *scheme == Scheme::HTTP || *scheme == Scheme::HTTPS)
            .ok_or(ConfigError::Scheme)?;
        let authority = parts.authority.ok_or(ConfigError::Scheme)?;
        if authority.as_str().contains('@') {
            return Err(ConfigError::Credentials);
        }
        let path = parts.path_and_query;
        if path.as_ref().is_some_and(|path| path.query().is_some()) {
            return Err(ConfigError::Query);
        }
        let prefix = path.as_ref().map_or("", |path| path.path());
        Ok(Self {
            scheme,
            authority,
            prefix: prefix.trim_end_matches('/').into(),
            dialect,
            deployments: BTreeMap::new(),
            api_version: None,
        })
    }

    /// Serves `model` by `deployment`. Every other model is its own deployment.
    #[must_use]
    pub fn deployment(
        mut self,
        model: impl Into<Box<str>>,
        deployment: impl Into<Box<str>>,
    ) -> Self {
        self.deployments.insert(model.into(), deployment.into());
        self
    }

    /// Serves each model by its deployment. See [`deployment`](Self::deployment).
    #[must_use]
    pub fn deployments<M, D>(mut self, deployments: impl IntoIterator<Item = (M, D)>) -> Self
    where
        M: Into<Box<str>>,
        D: Into<Box<str>>,
    {
        let deployments = deployments.into_iter();
        self.deployments
            .extend(deployments.map(|(model, deployment)| (model.into(), deployment.into())));
        self
    }

    /// Asks with this `api-version`, whatever the caller says. Read by the Azure dialects alone;
    /// without it the caller's stands, and a caller who says none is served by Azure OpenAI's
    /// unversioned `/openai/v1`.
    #[must_use]
    pub fn api_version(mut self, version: impl Into<Box<str>>) -> Self {
        self.api_version = Some(version.into());
        self
    }

    /// In which words the backend is asked.
    #[must_use]
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// The name that the backend has for a model.
    #[must_use]
    pub fn deployment_of<'m>(&'m self, model: &'m str) -> &'m str {
        self.deployments.get(model).map_or(model, |name| name)
    }

    /// Whether the prefix numbers the API itself.
    pub(super) fn is_versioned(&self) -> bool {
        self.prefix.split('/').any(|segment| {
            let mut bytes = segment.bytes();
            bytes.next() == Some(b'v') && bytes.next().is_some_and(|byte| byte.is_ascii_digit())
        })
    }
}

/// A URL at which no backend can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConfigError {
    /// Not `http://host…` or `https://host…`.
    Scheme,
    /// It has a query, which would be lost.
    Query,
    /// It has a user or a password, which belong to the credentials.
    Credentials,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Scheme => "a backend's URL must be absolute, http or https",
            Self::Query => "a backend's URL must not have a query",
            Self::Credentials => "a backend's URL must not hold a user or a password",
        })
    }
}

impl Error for ConfigError {}
