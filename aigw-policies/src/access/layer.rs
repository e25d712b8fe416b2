use std::sync::Arc;

use aigw_core::{
    key::Consumer,
    reject::{MakeRejection, Refuser},
};
use tower_layer::Layer;

use super::{
    Authenticate, Config, ConfigError, error::Flaw, keys::Keys, places::Places, service::Settings,
};

/// Tells callers by their keys. See the [module](super).
#[derive(Clone, Debug)]
#[must_use]
pub struct AuthenticateLayer {
    settings: Arc<Settings>,
}

impl AuthenticateLayer {
    /// Lets in who holds a key.
    ///
    /// # Errors
    ///
    /// Settings that cannot take effect: a consumer without an id or a key, or with those of
    /// another; a key that nobody could send; a header name that is none; nowhere to look; a key
    /// required where nobody has one.
    pub fn try_new(config: Config) -> Result<Self, ConfigError> {
        let places = Places::try_new(&config)?;
        let Config {
            required, consumer, ..
        } = config;
        if !required {
            let namesake = consumer.iter().position(|it| it.id == Config::ANONYMOUS);
            if let Some(index) = namesake {
                let setting = format!("consumer[{index}].id");
                return Err(ConfigError::new(setting, Flaw::Anonymous));
            }
        } else if consumer.is_empty() {
            return Err(ConfigError::new("consumer", Flaw::NobodyMayCall));
        }
        Ok(Self {
            settings: Arc::new(Settings {
                missing: format!(
                    "this call has no API key: send one in {}",
                    places.describe()
                ),
                places,
                keys: Keys::try_new(consumer)?,
                anonymous: (!required).then(|| Arc::new(Consumer::new(Config::ANONYMOUS))),
                refuser: Refuser::default(),
            }),
        })
    }

    /// Refuses with `make` in place of [`DialectJson`](aigw_core::reject::DialectJson).
    pub fn rejection(mut self, make: impl MakeRejection + Send + Sync + 'static) -> Self {
        Arc::make_mut(&mut self.settings).refuser = Refuser::new(make);
        self
    }
}

impl<S> Layer<S> for AuthenticateLayer {
    type Service = Authenticate<S>;

    fn layer(&self, inner: S) -> Authenticate<S> {
        Authenticate::new(inner, Arc::clone(&self.settings))
    }
}
