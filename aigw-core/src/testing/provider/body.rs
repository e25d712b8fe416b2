use std::{
    error::Error,
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
    vec,
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use pin_project::pin_project;

use super::{
    log::{Entry, Fate},
    reply::{End, Piece, Reply},
};
use crate::{BoxError, rt::Timer};

/// The body of an answer of a [`Provider`](super::Provider): its pieces at their times, then the
/// end that the script wants.
#[pin_project]
pub struct ResponseBody<T: Timer> {
    timer: T,
    pieces: vec::IntoIter<Piece>,
    /// The wait for the next piece, once it was asked for. Boxed, so that tests need not pin the
    /// body.
    sleep: Option<Pin<Box<T::Sleep>>>,
    /// Bytes to come, where that is known beforehand.
    left: Option<u64>,
    end: End,
    /// How often to let others run before the break.
    yields: u8,
    /// Present until the end was seen, so that it shows in the log when nobody got there.
    entry: Option<Entry>,
}

/// A server drops what it has not flushed when the body fails. It flushes when the body is pending,
/// over HTTP/2 in a task of its own: so the pieces before the break arrive.
const YIELDS: u8 = 4;

impl<T: Timer> ResponseBody<T> {
    pub(super) fn new(reply: Reply, timer: T, entry: Entry) -> Self {
        let len = |piece: &Piece| piece.data.len() as u64;
        let known = reply.exact && reply.end == End::Clean;
        let left = known.then(|| reply.pieces.iter().map(len).sum());
        let mut body = Self {
            timer,
            pieces: reply.pieces.into_iter(),
            sleep: None,
            left,
            end: reply.end,
            yields: YIELDS,
            entry: Some(entry),
        };
        body.settle();
        body
    }

    /// Notes the end as soon as it is visible: a reader that knows the length never polls again.
    fn settle(&mut self) {
        if self.is_end_stream() {
            settle(&mut self.entry, Fate::Finished);
        }
    }
}

fn settle(entry: &mut Option<Entry>, fate: Fate) {
    if let Some(entry) = entry.take() {
        entry.note(|call| call.fate = fate);
    }
}

impl<T: Timer> Body for ResponseBody<T> {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = self.project();
        let Some(next) = this.pieces.as_slice().first() else {
            return match *this.end {
                End::Hanging => Poll::Pending,
                End::Clean => {
                    settle(this.entry, Fate::Finished);
                    Poll::Ready(None)
                }
                End::Broken if *this.yields > 0 => {
                    *this.yields -= 1;
                    cx.waker().wake_by_ref();
                    Poll::Pending
                }
                End::Broken => {
                    *this.end = End::Clean;
                    settle(this.entry, Fate::Broken);
                    Poll::Ready(Some(Err(Broken.into())))
                }
            };
        };
        if !next.after.is_zero() {
            if this.sleep.is_none()
                && let Some(deadline) = this.timer.now().checked_add(next.after)
            {
                *this.sleep = Some(Box::pin(this.timer.sleep_until(deadline)));
            }
            if let Some(sleep) = this.sleep {
                ready!(sleep.as_mut().poll(cx));
            }
            *this.sleep = None;
        }
        let data = this
            .pieces
            .next()
            .map(|piece| piece.data)
            .unwrap_or_default();
        if let Some(left) = this.left {
            *left = left.saturating_sub(data.len() as u64);
        }
        if this.pieces.as_slice().is_empty() && *this.end == End::Clean {
            settle(this.entry, Fate::Finished);
        }
        Poll::Ready(Some(Ok(Frame::data(data))))
    }

    fn is_end_stream(&self) -> bool {
        self.pieces.as_slice().is_empty() && self.end == End::Clean
    }

    fn size_hint(&self) -> SizeHint {
        self.left.map_or_else(SizeHint::new, SizeHint::with_exact)
    }
}

impl<T: Timer> fmt::Debug for ResponseBody<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseBody")
            .field("pieces", &self.pieces.len())
            .field("end", &self.end)
            .finish_non_exhaustive()
    }
}

/// A script broke the answer off.
#[derive(Clone, Copy, Debug)]
struct Broken;

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the script broke the answer off")
    }
}

impl Error for Broken {}
