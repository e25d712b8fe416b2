use std::{
    sync::Arc,
    task::{Context, Poll},
};

use aigw_core::{
    call::{Edit, HasCall},
    reject::{self, Reason, Refusal, Refuser},
};
use bytes::Bytes;
use http::{Request, Response, Version};
use http_body::Body;
use tower_service::Service;

use super::{ResponseFuture, RewriteError, Upstream, headers, rewrite};

/// Makes each call one for a backend. See the [module](super).
///
/// # Readiness
///
/// That of the inner service. A call that is refused leaves it unused.
#[derive(Clone, Debug)]
pub struct Transform<S> {
    inner: S,
    upstream: Arc<Upstream>,
    refuser: Refuser,
}

impl<S> Transform<S> {
    pub(super) fn new(inner: S, upstream: Arc<Upstream>, refuser: Refuser) -> Self {
        Self {
            inner,
            upstream,
            refuser,
        }
    }
}

impl<S, ReqBody, ResBody> Service<Request<ReqBody>> for Transform<S>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
    ReqBody: HasCall,
    ResBody: Body<Data = Bytes>,
{
    type Response = Response<reject::Body<ResBody>>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future, ResBody>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<ReqBody>) -> Self::Future {
        match transform(&mut request, &self.upstream) {
            Ok(()) => ResponseFuture::calling(self.inner.call(request)),
            Err(error) => {
                let refusal = Refusal::new(Reason::OperationNotSupported, error.to_string());
                let call = request.body().call();
                let refuser = &self.refuser;
                ResponseFuture::refused(refuser.refuse(call.dialect(), call.record(), refusal))
            }
        }
    }
}

fn transform<B: HasCall>(
    request: &mut Request<B>,
    upstream: &Upstream,
) -> Result<(), RewriteError> {
    let body = request.body();
    let sent = rewrite(body.call().target(), body.model(), request.uri(), upstream)?;
    if !sent.names_model {
        put_model_into_body(request.body_mut(), upstream)?;
    }
    *request.uri_mut() = sent.uri;
    *request.version_mut() = Version::HTTP_11;

    let method = request.method().clone();
    let length = request.body().size_hint().exact();
    headers::prepare_request(request.headers_mut(), &method, length);
    Ok(())
}

/// Has the body name the deployment, unless it does already.
fn put_model_into_body<B: HasCall>(body: &mut B, upstream: &Upstream) -> Result<(), RewriteError> {
    let call = body.call();
    let Some(model) = body.model() else {
        return Ok(());
    };
    let deployment = upstream.deployment_of(model);
    let stands_there = call.target().path_model().is_none();
    // A body that was edited names that model already.
    if stands_there && deployment == model {
        return Ok(());
    }
    let edit = Edit::Model(deployment.into());
    if body.edit(edit) {
        Ok(())
    } else {
        Err(RewriteError::OpaqueModel)
    }
}
