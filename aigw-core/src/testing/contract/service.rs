//! The contract of a service that wraps another: readiness is the inner one's, and is not lost.
//!
//! # Examples
//!
//! ```
//! use aigw_core::testing::contract::service;
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! // A layer that does nothing passes; a policy's own goes in its place.
//! service::forwards_readiness::<http::Request<()>, _, _>(|inner| inner);
//! service::calls_what_is_ready(|inner| inner, || http::Request::new(())).await;
//! # }
//! ```

use std::{
    fmt,
    future::{Ready, poll_fn, ready},
    sync::{
        Arc,
        atomic::{AtomicU8, AtomicUsize, Ordering},
    },
    task::{Context, Poll, Waker},
};

use http::{Request, Response};
use tower_service::Service;

use super::body::Sample;
use crate::BoxError;

/// An inner service whose readiness the suite turns. It answers with a [`Sample`], and panics when
/// it is called without having been polled ready itself.
pub struct Inner {
    state: Arc<State>,
    /// Of this clone alone.
    polled_ready: bool,
}

#[derive(Debug, Default)]
struct State {
    readiness: AtomicU8,
    calls: AtomicUsize,
}

const READY: u8 = 0;
const PENDING: u8 = 1;
const FAILED: u8 = 2;

impl Inner {
    fn new() -> Self {
        Self {
            state: Arc::default(),
            polled_ready: false,
        }
    }
}

/// For services that are ready when their inner one is. A pending inner service is a pending
/// service, its error is an error, and a clone of a ready service is not ready by inheritance.
///
/// # Panics
///
/// If the contract is broken.
pub fn forwards_readiness<R, S, F>(wrap: F)
where
    F: FnOnce(Inner) -> S,
    S: Service<R> + Clone,
{
    let inner = Inner::new();
    let state = Arc::clone(&inner.state);
    let mut service = wrap(inner);
    let mut cx = Context::from_waker(Waker::noop());
    let turn = |readiness| state.readiness.store(readiness, Ordering::Relaxed);

    turn(PENDING);
    assert!(
        service.poll_ready(&mut cx).is_pending(),
        "ready though the inner service is not"
    );
    turn(READY);
    let ready = matches!(service.poll_ready(&mut cx), Poll::Ready(Ok(())));
    assert!(ready, "not ready though the inner service is");
    turn(PENDING);
    let inherited = service.clone().poll_ready(&mut cx).is_ready();
    assert!(!inherited, "a clone inherits readiness");
    turn(FAILED);
    let failed = matches!(service.clone().poll_ready(&mut cx), Poll::Ready(Err(_)));
    assert!(failed, "the error of the inner service is lost");
}

/// For every service, also one that is always ready and drives a clone: however often it is called,
/// the inner service that it calls is one that was polled ready.
///
/// # Panics
///
/// If an inner service is called unready, or not at all.
pub async fn calls_what_is_ready<R, S, F, Q>(wrap: F, request: Q)
where
    F: FnOnce(Inner) -> S,
    S: Service<R> + Clone,
    Q: Fn() -> R,
{
    let inner = Inner::new();
    let state = Arc::clone(&inner.state);
    let mut service = wrap(inner);
    for round in 1..=3 {
        let mut clone = service.clone();
        for service in [&mut service, &mut clone] {
            let ready = poll_fn(|cx| service.poll_ready(cx)).await.is_ok();
            assert!(ready, "round {round}: not ready");
            let answered = service.call(request()).await.is_ok();
            assert!(answered, "round {round}: no answer");
        }
        let calls = state.calls.load(Ordering::Relaxed);
        assert_eq!(calls, 2 * round, "calls of the inner service");
    }
}

impl<B> Service<Request<B>> for Inner {
    type Response = Response<Sample>;
    type Error = BoxError;
    type Future = Ready<Result<Response<Sample>, BoxError>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        match self.state.readiness.load(Ordering::Relaxed) {
            READY => {
                self.polled_ready = true;
                Poll::Ready(Ok(()))
            }
            PENDING => {
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            _ => Poll::Ready(Err("the inner service failed".into())),
        }
    }

    fn call(&mut self, _: Request<B>) -> Self::Future {
        let was_ready = std::mem::take(&mut self.polled_ready);
        assert!(
            was_ready,
            "the inner service was called without having been polled ready"
        );
        self.state.calls.fetch_add(1, Ordering::Relaxed);
        let body = Sample::all().into_iter().next();
        ready(
            body.map(Response::new)
                .ok_or_else(|| "there is no sample".into()),
        )
    }
}

impl Clone for Inner {
    /// Readiness was promised to the original.
    fn clone(&self) -> Self {
        Self {
            state: Arc::clone(&self.state),
            polled_ready: false,
        }
    }
}

impl fmt::Debug for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inner")
            .field("polled_ready", &self.polled_ready)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Calls a fresh clone of what was polled ready: the classic mistake.
    #[derive(Clone)]
    struct CallsAClone<S>(S);

    impl<S: Service<R> + Clone, R> Service<R> for CallsAClone<S> {
        type Response = S::Response;
        type Error = S::Error;
        type Future = S::Future;

        fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
            self.0.poll_ready(cx)
        }

        fn call(&mut self, request: R) -> S::Future {
            self.0.clone().call(request)
        }
    }

    #[tokio::test]
    async fn a_service_that_forwards_passes() {
        forwards_readiness::<Request<()>, _, _>(|inner| inner);
        calls_what_is_ready(|inner| inner, || Request::new(())).await;
    }

    #[tokio::test]
    #[should_panic(expected = "without having been polled ready")]
    async fn calling_a_fresh_clone_is_found() {
        calls_what_is_ready(CallsAClone, || Request::new(())).await;
    }
}
