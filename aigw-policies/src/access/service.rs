use std::{
    sync::Arc,
    task::{Context, Poll},
};

use aigw_core::{
    call::Record,
    dialect::Target,
    key::Consumer,
    reject::{self, Reason, Refusal, Refuser},
};
use http::{HeaderMap, Request, Response, Uri};
use tower_service::Service;

use super::{
    ResponseFuture, State,
    keys::Keys,
    places::{Found, Places},
};

/// Tells callers by their keys. See the [module](super).
///
/// # Readiness
///
/// That of the inner service. A call that is refused does not use it up: it stays for the next one.
#[derive(Clone, Debug)]
pub struct Authenticate<S> {
    inner: S,
    settings: Arc<Settings>,
}

/// What a layer and its services share.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub(super) places: Places,
    pub(super) keys: Keys,
    /// Who a caller without a key is, where none is required.
    pub(super) anonymous: Option<Arc<Consumer>>,
    /// What a caller without a key is told otherwise.
    pub(super) missing: String,
    pub(super) refuser: Refuser,
}

impl Settings {
    /// Takes the key off a request and tells the record whose it was.
    fn admit(
        &self,
        record: &Record,
        headers: &mut HeaderMap,
        uri: &mut Uri,
    ) -> Result<(), Refusal> {
        match self.places.take(&self.keys, headers, uri) {
            Found::Held(holder) => {
                record.state_shared(Arc::clone(&holder.consumer));
                match holder.state {
                    State::Active => Ok(()),
                    State::Suspended => Err(Refusal::new(Reason::Forbidden, SUSPENDED)),
                }
            }
            Found::Unheld => Err(Refusal::new(Reason::InvalidApiKey, UNHELD)),
            Found::Nothing => match &self.anonymous {
                Some(anonymous) => {
                    record.state_shared(Arc::clone(anonymous));
                    Ok(())
                }
                None => {
                    let message = self.missing.clone();
                    Err(Refusal::new(Reason::InvalidApiKey, message))
                }
            },
        }
    }
}

const SUSPENDED: &str = "whoever holds this API key is suspended";
const UNHELD: &str = "this API key is not known here";

impl<S> Authenticate<S> {
    pub(super) fn new(inner: S, settings: Arc<Settings>) -> Self {
        Self { inner, settings }
    }
}

impl<S, ReqBody, ResBody> Service<Request<ReqBody>> for Authenticate<S>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
{
    type Response = Response<reject::Body<ResBody>>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future, ResBody>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<ReqBody>) -> Self::Future {
        let (mut parts, body) = request.into_parts();
        let record = Record::of(&mut parts.extensions);
        let admitted = self
            .settings
            .admit(&record, &mut parts.headers, &mut parts.uri);
        match admitted {
            Ok(()) => ResponseFuture::calling(self.inner.call(Request::from_parts(parts, body))),
            Err(refusal) => {
                let target = Target::recognize(&parts.method, &parts.uri, &parts.headers);
                let refuser = &self.settings.refuser;
                ResponseFuture::refused(refuser.refuse(target.dialect(), &record, refusal))
            }
        }
    }
}
