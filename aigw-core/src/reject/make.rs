use std::sync::Arc;

use bytes::Bytes;
use http::{
    HeaderValue, Response,
    header::{CONTENT_LENGTH, CONTENT_TYPE},
};

use super::{Refusal, shape};
use crate::dialect::Dialect;

/// Turns a refusal into an answer: the slot that every refusing layer leaves open.
///
/// [`DialectJson`] is the default. A closure will do: change what [`DialectJson`] makes, or make
/// your own and call [`Refusal::write_headers`] for the waits. The typed reason is put into the
/// answer's extensions afterwards, by [`Refused`](super::Refused), so no implementation can lose
/// it.
///
/// # Examples
///
/// ```
/// use aigw_core::{
///     dialect::Dialect,
///     reject::{DialectJson, MakeRejection, Reason, Refusal},
/// };
/// use http::HeaderValue;
///
/// let make = |dialect, refusal: &Refusal| {
///     let mut response = DialectJson.make_rejection(dialect, refusal);
///     response.headers_mut().insert("x-gateway", HeaderValue::from_static("eu-1"));
///     response
/// };
/// let refusal = Refusal::new(Reason::Unavailable, "every backend is down");
/// let response = refusal.into_response(Dialect::OpenAi, &make);
/// assert_eq!(response.headers()["x-gateway"], "eu-1");
/// ```
pub trait MakeRejection {
    /// Makes the answer in the words of the caller.
    fn make_rejection(&self, dialect: Dialect, refusal: &Refusal) -> Response<Bytes>;
}

impl<F> MakeRejection for F
where
    F: Fn(Dialect, &Refusal) -> Response<Bytes>,
{
    fn make_rejection(&self, dialect: Dialect, refusal: &Refusal) -> Response<Bytes> {
        self(dialect, refusal)
    }
}

impl<M: MakeRejection + ?Sized> MakeRejection for Arc<M> {
    fn make_rejection(&self, dialect: Dialect, refusal: &Refusal) -> Response<Bytes> {
        (**self).make_rejection(dialect, refusal)
    }
}

/// Makes the JSON error that the vendor of the dialect would send, so that the vendor's own SDK
/// raises its own typed error. The default [`MakeRejection`].
///
/// The shapes are drawn in the [module's documentation](super).
#[derive(Clone, Copy, Debug, Default)]
pub struct DialectJson;

impl MakeRejection for DialectJson {
    fn make_rejection(&self, dialect: Dialect, refusal: &Refusal) -> Response<Bytes> {
        let body = shape::document(dialect, refusal);
        let length = HeaderValue::from(body.len());
        let mut response = Response::new(body);
        *response.status_mut() = refusal.status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        refusal.write_headers(headers);
        headers.insert(CONTENT_LENGTH, length);
        response
    }
}
