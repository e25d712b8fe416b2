use std::{fmt, time::Duration};

/// What a [`Provider`](super::Provider) is like when no script says otherwise.
///
/// The default serves every model to everyone, at once and without limit.
#[derive(Clone)]
#[non_exhaustive]
pub struct Config {
    pub(super) id: Option<Box<str>>,
    pub(super) models: Vec<Box<str>>,
    pub(super) api_key: Option<Box<str>>,
    pub(super) tokens_per_minute: Option<u64>,
    pub(super) time_to_first_token: Duration,
    pub(super) time_per_token: Duration,
    pub(super) seed: u64,
    pub(super) kept_calls: usize,
    pub(super) max_body_bytes: usize,
}

/// Calls that the log keeps: more than any test asserts on, little enough to forget about.
const KEPT_CALLS: usize = 1024;

/// The largest request body that is read: above the largest upload that vendors accept as JSON.
const MAX_BODY_BYTES: usize = 64 << 20;

impl Config {
    /// The name that scripts address and that `x-ms-region` states. Default: the host that the
    /// request names.
    #[must_use]
    pub fn id(mut self, id: impl Into<Box<str>>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// The models that are served; any other is answered as unknown. Default, and when empty: every
    /// model.
    #[must_use]
    pub fn models<I: IntoIterator<Item: Into<Box<str>>>>(mut self, models: I) -> Self {
        self.models = models.into_iter().map(Into::into).collect();
        self
    }

    /// The key that a call must carry, in any of the headers that vendors use or as Gemini's `key`
    /// in the query. Default: none is asked for.
    #[must_use]
    pub fn api_key(mut self, key: impl Into<Box<str>>) -> Self {
        self.api_key = Some(key.into());
        self
    }

    /// Tokens (prompt and answer) that a bucket of this size refills with in one minute; a call
    /// that finds it too empty gets a 429. Zero refuses every call. Default: no limit.
    #[must_use]
    pub fn tokens_per_minute(mut self, tokens: u64) -> Self {
        self.tokens_per_minute = Some(tokens);
        self
    }

    /// The time before the first token of an answer. Default: zero.
    #[must_use]
    pub fn time_to_first_token(mut self, time: Duration) -> Self {
        self.time_to_first_token = time;
        self
    }

    /// The time before each token after the first. Default: zero.
    #[must_use]
    pub fn time_per_token(mut self, time: Duration) -> Self {
        self.time_per_token = time;
        self
    }

    /// Distinguishes the ids that this provider gives from those of another. Default: zero.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// How many received calls, the latest, are kept for inspection; fewer where their bodies are
    /// larger than 256 MiB together. Default: 1024; zero keeps none.
    #[must_use]
    pub fn kept_calls(mut self, calls: usize) -> Self {
        self.kept_calls = calls;
        self
    }

    /// The largest request body that is read; a larger one gets a 413. Default: 64 MiB.
    #[must_use]
    pub fn max_body_bytes(mut self, bytes: usize) -> Self {
        self.max_body_bytes = bytes;
        self
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            id: None,
            models: Vec::new(),
            api_key: None,
            tokens_per_minute: None,
            time_to_first_token: Duration::ZERO,
            time_per_token: Duration::ZERO,
            seed: 0,
            kept_calls: KEPT_CALLS,
            max_body_bytes: MAX_BODY_BYTES,
        }
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            id,
            models,
            api_key,
            tokens_per_minute,
            time_to_first_token,
            time_per_token,
            seed,
            kept_calls,
            max_body_bytes,
        } = self;
        f.debug_struct("Config")
            .field("id", id)
            .field("models", models)
            .field("api_key", &api_key.as_ref().map(|_| "[redacted]"))
            .field("tokens_per_minute", tokens_per_minute)
            .field("time_to_first_token", time_to_first_token)
            .field("time_per_token", time_per_token)
            .field("seed", seed)
            .field("kept_calls", kept_calls)
            .field("max_body_bytes", max_body_bytes)
            .finish()
    }
}
