use std::{
    fmt,
    marker::PhantomData,
    pin::Pin,
    task::{Context, Poll, ready},
};

use aigw_core::rt::{Spawn, Timer};
use http::Response;
use http_body::Body;

use super::{ResponseBody, rest::Drainer};

/// An answer that is waited for and read on when it is dropped before its head.
///
/// The bounds stand on the struct because its `Drop` moves what is left into a task.
#[must_use = "futures do nothing unless polled"]
pub struct ResponseFuture<F, R, B, E>
where
    F: Future<Output = Result<Response<B>, E>> + Send + 'static,
    R: Spawn + Timer,
    B: Body + Send + 'static,
    E: 'static,
{
    /// Boxed, so that it can be moved into a task. `None` once it has ended.
    inner: Option<Pin<Box<F>>>,
    drainer: Drainer<R>,
    answer: PhantomData<fn() -> (B, E)>,
}

impl<F, R, B, E> ResponseFuture<F, R, B, E>
where
    F: Future<Output = Result<Response<B>, E>> + Send + 'static,
    R: Spawn + Timer,
    B: Body + Send + 'static,
    E: 'static,
{
    pub(super) fn new(inner: F, drainer: Drainer<R>) -> Self {
        Self {
            inner: Some(Box::pin(inner)),
            drainer,
            answer: PhantomData,
        }
    }
}

impl<F, R, B, E> Future for ResponseFuture<F, R, B, E>
where
    F: Future<Output = Result<Response<B>, E>> + Send + 'static,
    R: Spawn + Timer,
    B: Body + Send + 'static,
    E: 'static,
{
    type Output = Result<Response<ResponseBody<B, R>>, E>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(inner) = &mut self.inner else {
            return Poll::Pending;
        };
        let answer = ready!(inner.as_mut().poll(cx));
        self.inner = None;
        let drainer = self.drainer.clone();
        Poll::Ready(answer.map(|answer| answer.map(|body| ResponseBody::new(body, drainer))))
    }
}

impl<F, R, B, E> Drop for ResponseFuture<F, R, B, E>
where
    F: Future<Output = Result<Response<B>, E>> + Send + 'static,
    R: Spawn + Timer,
    B: Body + Send + 'static,
    E: 'static,
{
    fn drop(&mut self) {
        if let Some(inner) = self.inner.take() {
            self.drainer
                .read_on(async move { inner.await.ok().map(Response::into_body) });
        }
    }
}

impl<F, R, B, E> fmt::Debug for ResponseFuture<F, R, B, E>
where
    F: Future<Output = Result<Response<B>, E>> + Send + 'static,
    R: Spawn + Timer,
    B: Body + Send + 'static,
    E: 'static,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}
