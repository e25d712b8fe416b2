use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http_body::Body;
use pin_project::pin_project;

use super::budget::Hold;
use crate::{
    body::into_bytes,
    gathered::Gathered,
    reject::{Reason, Refusal},
};

/// Reads a whole request body within its bounds.
///
/// One that is refused is read on for a while and thrown away: a caller that is still sending reads
/// no answer, and an answer in the middle of a request costs the connection.
#[pin_project]
pub(super) struct Collect<B> {
    #[pin]
    body: B,
    bytes: Gathered,
    hold: Option<Hold>,
    /// How many bytes there will be at least.
    announced: usize,
    limit: usize,
    /// Why the body is not kept. Boxed, for it is rare, and calls are many.
    refused: Option<Box<Refusal>>,
    /// Bytes read since then.
    discarded: usize,
}

/// How many times the limit is read of a body that is refused.
const DISCARD: usize = 8;

impl<B: Body> Collect<B> {
    pub(super) fn new(body: B, limit: usize, hold: Hold) -> Self {
        let announced = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
        let announced = announced.min(limit);
        Self {
            body,
            announced,
            bytes: Gathered::default(),
            hold: Some(hold),
            limit,
            refused: None,
            discarded: 0,
        }
    }

    /// Reads a body that has been refused before it came.
    pub(super) fn discard(body: B, limit: usize, refusal: Refusal) -> Self {
        Self {
            body,
            announced: 0,
            bytes: Gathered::default(),
            hold: None,
            limit,
            refused: Some(Box::new(refusal)),
            discarded: 0,
        }
    }

    /// Gives up. Answers why, if that is known already.
    pub(super) fn give_up(self: Pin<&mut Self>) -> Option<Refusal> {
        self.project().refused.take().map(|refusal| *refusal)
    }

    pub(super) fn poll(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(Bytes, Option<Hold>), Refusal>> {
        let mut this = self.project();
        loop {
            let frame = match ready!(this.body.as_mut().poll_frame(cx)) {
                Some(Ok(frame)) => into_bytes(frame),
                Some(Err(_)) => {
                    let refused = this.refused.take();
                    return Poll::Ready(Err(refused.map_or_else(broken_off, |refusal| *refusal)));
                }
                None => {
                    return Poll::Ready(match this.refused.take() {
                        Some(refusal) => Err(*refusal),
                        None => Ok((this.bytes.take(), this.hold.take())),
                    });
                }
            };
            let Ok(data) = frame.into_data() else {
                continue;
            };
            if this.refused.is_none() {
                let length = this.bytes.len().saturating_add(data.len());
                let fits = |hold: &mut Hold| hold.grow(data.len());
                if length > *this.limit {
                    *this.refused = Some(Box::new(too_large(*this.limit)));
                } else if !this.hold.as_mut().is_some_and(fits) {
                    *this.refused = Some(Box::new(overloaded()));
                } else {
                    this.bytes.push(data, *this.announced);
                    continue;
                }
                this.bytes.take();
                this.hold.take();
            }
            *this.discarded = this.discarded.saturating_add(data.len());
            if *this.discarded > this.limit.saturating_mul(DISCARD)
                && let Some(refusal) = this.refused.take()
            {
                return Poll::Ready(Err(*refusal));
            }
        }
    }
}

/// Refuses a body above `limit` bytes.
pub(super) fn too_large(limit: usize) -> Refusal {
    Refusal::new(
        Reason::BodyTooLarge,
        format!("the request body is larger than {limit} bytes"),
    )
}

/// All calls together buffer too much.
fn overloaded() -> Refusal {
    Refusal::new(
        Reason::Overloaded,
        "request buffers are full; try again later",
    )
}

fn broken_off() -> Refusal {
    Refusal::new(
        Reason::InvalidRequest,
        "the connection closed before the request body was complete",
    )
}
