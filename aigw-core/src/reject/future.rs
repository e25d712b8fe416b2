use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll},
};

use http::Response;
use pin_project::pin_project;

use super::{Body, passed};

/// The answer of a layer that refuses a call before the service below has it, or passes it on.
///
/// # Cancel safety
///
/// Dropping it cancels the call below.
///
/// # Examples
///
/// ```
/// use std::{convert::Infallible, future::Ready};
///
/// use aigw_core::{
///     dialect::Dialect,
///     reject::{self, DialectJson, Reason, Refusal, ResponseFuture},
/// };
/// use http::Response;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// type Inner = Ready<Result<Response<String>, Infallible>>;
///
/// let refusal = Refusal::new(Reason::Forbidden, "not for this consumer");
/// let answer = reject::refused(refusal.into_response(Dialect::OpenAi, &DialectJson));
/// let refused = ResponseFuture::<Inner, String>::refused(answer);
/// assert_eq!(refused.await.unwrap().status(), 403);
///
/// let answer = std::future::ready(Ok(Response::new("hello".to_owned())));
/// let passed = ResponseFuture::<Inner, String>::calling(answer);
/// assert!(!passed.await.unwrap().body().is_refused());
/// # }
/// ```
#[pin_project]
#[must_use = "futures do nothing unless polled"]
pub struct ResponseFuture<F, B> {
    #[pin]
    state: State<F, B>,
}

#[pin_project(project = StateProj)]
enum State<F, B> {
    Calling(#[pin] F),
    /// Boxed, for its room would otherwise stand in every call. `None` once it has been given.
    Refused(Option<Box<Response<Body<B>>>>),
}

impl<F, B> ResponseFuture<F, B> {
    /// The answer of the service below.
    pub fn calling(inner: F) -> Self {
        Self {
            state: State::Calling(inner),
        }
    }

    /// An answer of our own.
    pub fn refused(answer: Response<Body<B>>) -> Self {
        Self {
            state: State::Refused(Some(Box::new(answer))),
        }
    }
}

impl<F, B, E> Future for ResponseFuture<F, B>
where
    F: Future<Output = Result<Response<B>, E>>,
{
    type Output = Result<Response<Body<B>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().state.project() {
            StateProj::Calling(inner) => inner.poll(cx).map_ok(passed),
            StateProj::Refused(answer) => match answer.take() {
                Some(answer) => Poll::Ready(Ok(*answer)),
                None => Poll::Pending,
            },
        }
    }
}

impl<F, B> fmt::Debug for ResponseFuture<F, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}
