//! Dropping a call at every point where it can be dropped.
//!
//! # Examples
//!
//! ```
//! use aigw_core::{
//!     rt::Tokio,
//!     testing::{Provider, contract::drops},
//! };
//! use http_body_util::Empty;
//! use tower_service::Service;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! let provider = Provider::new(Tokio);
//! let call = || {
//!     let request = http::Request::get("/v1/models").body(Empty::<&[u8]>::new()).unwrap();
//!     provider.clone().call(request)
//! };
//! let released = |_| assert_eq!(provider.in_flight(), 0);
//! drops::at_every_poll(call, released).await;
//! # }
//! ```

use std::{
    future::poll_fn,
    pin::pin,
    task::{Context, Poll},
};

use http::Response;
use http_body::Body;

/// How a call of [`at_every_poll`] ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Left {
    /// It was dropped after so many polls, of its future and then of its body.
    After(usize),
    /// It was read to its end, or to its error.
    AtItsEnd,
}

/// Makes a call again and again, polls its future and then its body n times in all, for each n from
/// zero on, and drops it; until n is enough to see it end. After each drop `check` runs: the place
/// to assert that everything was settled once and nothing is held.
///
/// Waits between polls as any caller does, so it works with timers and under paused time. The call
/// must end by itself.
pub async fn at_every_poll<F, Fut, B, E, C>(mut call: F, mut check: C)
where
    F: FnMut() -> Fut,
    Fut: Future<Output = Result<Response<B>, E>>,
    B: Body,
    C: FnMut(Left),
{
    for polls in 0.. {
        let left = poll_times(call(), polls).await;
        check(left);
        if left == Left::AtItsEnd {
            return;
        }
    }
}

async fn poll_times<Fut, B, E>(call: Fut, polls: usize) -> Left
where
    Fut: Future<Output = Result<Response<B>, E>>,
    B: Body,
{
    let mut budget = Budget(polls);
    let mut call = pin!(call);
    let answer = poll_fn(|cx| budget.spend(cx, |cx| call.as_mut().poll(cx))).await;
    let body = match answer {
        None => return Left::After(polls),
        Some(Err(_)) => return Left::AtItsEnd,
        Some(Ok(response)) => response.into_body(),
    };
    let mut body = pin!(body);
    loop {
        let frame = poll_fn(|cx| budget.spend(cx, |cx| body.as_mut().poll_frame(cx))).await;
        match frame {
            None => return Left::After(polls),
            Some(Some(Ok(_))) => {}
            Some(Some(Err(_)) | None) => return Left::AtItsEnd,
        }
    }
}

/// The polls that may still be spent.
struct Budget(usize);

impl Budget {
    /// Polls once if that may be: `None` when the budget is spent.
    fn spend<T>(
        &mut self,
        cx: &mut Context<'_>,
        poll: impl FnOnce(&mut Context<'_>) -> Poll<T>,
    ) -> Poll<Option<T>> {
        if self.0 == 0 {
            return Poll::Ready(None);
        }
        self.0 -= 1;
        match poll(cx) {
            Poll::Ready(value) => Poll::Ready(Some(value)),
            // The last poll is not waited for: the drop comes while it is pending.
            Poll::Pending if self.0 == 0 => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{cell::Cell, convert::Infallible};

    use super::*;
    use crate::testing::contract::body::Sample;

    #[tokio::test]
    async fn every_number_of_polls_is_tried_once_and_the_end_is_the_last() {
        let sample = Sample::all()
            .into_iter()
            .find(|it| it.name() == "trailers")
            .unwrap();
        let calls = Cell::new(0);
        let mut seen = Vec::new();
        let call = || {
            calls.set(calls.get() + 1);
            let body = sample.clone();
            async { Ok::<_, Infallible>(Response::new(body)) }
        };
        at_every_poll(call, |left| seen.push(left)).await;
        // One poll of the future; data, pending, trailers, end of the body.
        let expected: Vec<Left> = (0..5).map(Left::After).chain([Left::AtItsEnd]).collect();
        assert_eq!((seen, calls.get()), (expected, 6));
    }
}
