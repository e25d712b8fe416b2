use std::sync::Arc;

use aigw_core::dialect::Dialect;
use http::{HeaderName, header};
use tower_layer::Layer;

use super::{
    ConfigError, Credentials, CredentialsService,
    config::{API_KEY, X_API_KEY, X_GOOG_API_KEY},
    service::Settings,
};

/// Decides whose key a backend sees. See the [module](super).
#[derive(Clone, Debug)]
#[must_use]
pub struct CredentialsLayer {
    settings: Arc<Settings>,
}

impl CredentialsLayer {
    /// Shows `credentials` to a backend of this dialect.
    ///
    /// # Errors
    ///
    /// A key or token that no header can hold.
    pub fn try_new(credentials: Credentials, dialect: Dialect) -> Result<Self, ConfigError> {
        let passes = matches!(credentials, Credentials::PassThrough);
        let mut settings = Settings {
            headers: Vec::new(),
            query: Vec::new(),
            header: credentials.header(dialect)?,
            passes,
        };
        if !passes {
            settings.headers.extend(HEADERS);
            settings.query.extend(QUERY.map(Box::from));
        }
        Ok(Self {
            settings: Arc::new(settings),
        })
    }

    /// Takes one more header off, where the caller's credentials do not pass.
    pub fn hide_header(mut self, name: HeaderName) -> Self {
        if !self.settings.passes {
            Arc::make_mut(&mut self.settings).headers.push(name);
        }
        self
    }

    /// Takes one more parameter off the query, where the caller's credentials do not pass.
    pub fn hide_query(mut self, name: impl Into<Box<str>>) -> Self {
        if !self.settings.passes {
            Arc::make_mut(&mut self.settings).query.push(name.into());
        }
        self
    }
}

impl<S> Layer<S> for CredentialsLayer {
    type Service = CredentialsService<S>;

    fn layer(&self, inner: S) -> CredentialsService<S> {
        CredentialsService::new(inner, Arc::clone(&self.settings))
    }
}

/// Where callers show keys to gateways and providers.
const HEADERS: [HeaderName; 6] = [
    header::AUTHORIZATION,
    API_KEY,
    X_API_KEY,
    X_GOOG_API_KEY,
    HeaderName::from_static("ocp-apim-subscription-key"),
    header::COOKIE,
];

const QUERY: [&str; 4] = ["api-key", "key", "subscription-key", "access_token"];
