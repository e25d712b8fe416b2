use std::{
    sync::Arc,
    task::{Context, Poll},
};

use aigw_core::dialect::query;
use http::{HeaderName, HeaderValue, Request};
use tower_service::Service;

/// Takes the caller's credentials off and puts the backend's on. See the [module](super).
///
/// # Readiness
///
/// That of the inner service.
#[derive(Clone, Debug)]
pub struct CredentialsService<S> {
    inner: S,
    settings: Arc<Settings>,
}

/// What a layer and its services share.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    /// What is taken off; nothing where the caller's credentials pass.
    pub(super) headers: Vec<HeaderName>,
    pub(super) query: Vec<Box<str>>,
    pub(super) header: Option<(HeaderName, HeaderValue)>,
    /// Whether the caller's credentials pass.
    pub(super) passes: bool,
}

impl<S> CredentialsService<S> {
    pub(super) fn new(inner: S, settings: Arc<Settings>) -> Self {
        Self { inner, settings }
    }
}

impl<S, B> Service<Request<B>> for CredentialsService<S>
where
    S: Service<Request<B>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> S::Future {
        for name in &self.settings.headers {
            request.headers_mut().remove(name);
        }
        if let Some(uri) = query::without(request.uri(), &self.settings.query) {
            *request.uri_mut() = uri;
        }
        if let Some((name, value)) = &self.settings.header {
            request.headers_mut().insert(name, value.clone());
        }
        self.inner.call(request)
    }
}
