use std::{
    convert::Infallible,
    error::Error,
    fmt,
    task::{Context, Poll},
};

use aigw_core::{
    BoxError,
    call::HasCall,
    outcome::Fault,
    reject::{self, MakeRejection, Refuser},
};
use http::{Request, Response};
use tower_service::Service;

use super::{ResponseBody, ResponseFuture, body::Diagnose, diagnose};

/// Answers for a service that can fail. See the [module](super).
///
/// # Readiness
///
/// Readiness is that of the service below. If that fails, the leaf stays ready, and answers this
/// and every later call with the fault: a tower service that failed its readiness must not be used
/// again.
#[derive(Clone)]
pub struct Leaf<S> {
    inner: S,
    diagnose: Diagnose,
    refuser: Refuser,
    failed: Option<Fault>,
}

impl<S> Leaf<S> {
    /// Wraps a service that reaches a provider.
    pub fn new(inner: S) -> Self {
        Self {
            inner,
            diagnose,
            refuser: Refuser::default(),
            failed: None,
        }
    }

    /// Reads errors with `diagnose`, where the transport has error types of its own.
    #[must_use]
    pub fn diagnose_with(mut self, diagnose: fn(&(dyn Error + 'static)) -> Fault) -> Self {
        self.diagnose = diagnose;
        self
    }

    /// Answers faults with `make` in place of [`DialectJson`](reject::DialectJson).
    #[must_use]
    pub fn rejection(mut self, make: impl MakeRejection + Send + Sync + 'static) -> Self {
        self.refuser = Refuser::new(make);
        self
    }

    /// The service below.
    pub fn get_ref(&self) -> &S {
        &self.inner
    }
}

impl<S, ReqBody, ResBody> Service<Request<ReqBody>> for Leaf<S>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
    S::Error: Into<BoxError>,
    ReqBody: HasCall,
{
    type Response = Response<reject::Body<ResponseBody<ResBody>>>;
    type Error = Infallible;
    type Future = ResponseFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        if self.failed.is_some() {
            return Poll::Ready(Ok(()));
        }
        self.inner.poll_ready(cx).map(|ready| {
            // Nothing was sent: the call had not begun.
            self.failed = ready
                .err()
                .map(|error| Fault::undispatched((self.diagnose)(&*error.into()).kind));
            Ok(())
        })
    }

    fn call(&mut self, request: Request<ReqBody>) -> ResponseFuture<S::Future> {
        let dialect = request.body().call().dialect();
        let refuser = self.refuser.clone();
        match self.failed {
            Some(fault) => ResponseFuture::failed(fault, dialect, refuser),
            None => {
                let inner = self.inner.call(request);
                ResponseFuture::calling(inner, self.diagnose, dialect, refuser)
            }
        }
    }
}

impl<S: fmt::Debug> fmt::Debug for Leaf<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Leaf")
            .field("inner", &self.inner)
            .field("failed", &self.failed)
            .finish_non_exhaustive()
    }
}
