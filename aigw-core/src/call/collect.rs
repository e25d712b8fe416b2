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
#[pin_project]
pub(super) struct Collect<B> {
    #[pin]
    body: B,
    bytes: Gathered,
    hold: Option<Hold>,
    /// How many bytes there will be at least.
    announced: usize,
    limit: usize,
    /// Bytes read after the limit was passed, which are thrown away.
    discarded: Option<usize>,
}

/// Why a body could not be collected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Uncollected {
    TooLarge,
    /// All calls together buffer too much.
    Overloaded,
    /// The caller broke off.
    Broken,
}

/// How many times the limit is read and thrown away before a body that is too large is answered. A
/// caller that is still sending reads no answer, and an answer in the middle of a request costs the
/// connection.
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
            discarded: None,
        }
    }

    /// The greatest body that is collected.
    pub(super) fn limit(&self) -> usize {
        self.limit
    }

    pub(super) fn poll(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(Bytes, Option<Hold>), Uncollected>> {
        let mut this = self.project();
        loop {
            let frame = match ready!(this.body.as_mut().poll_frame(cx)) {
                Some(Ok(frame)) => into_bytes(frame),
                Some(Err(_)) => return Poll::Ready(Err(Uncollected::Broken)),
                None if this.discarded.is_some() => {
                    return Poll::Ready(Err(Uncollected::TooLarge));
                }
                None => return Poll::Ready(Ok((this.bytes.take(), this.hold.take()))),
            };
            let Ok(data) = frame.into_data() else {
                continue;
            };
            let length = this.bytes.len().saturating_add(data.len());
            if let Some(discarded) = this.discarded {
                *discarded = discarded.saturating_add(data.len());
                if *discarded > this.limit.saturating_mul(DISCARD) {
                    return Poll::Ready(Err(Uncollected::TooLarge));
                }
            } else if length > *this.limit {
                *this.discarded = Some(data.len());
                this.bytes.take();
                this.hold.take();
            } else if this.hold.as_mut().is_some_and(|hold| hold.grow(data.len())) {
                this.bytes.push(data, *this.announced);
            } else {
                return Poll::Ready(Err(Uncollected::Overloaded));
            }
        }
    }
}

impl Uncollected {
    /// What the caller is told; `limit` is the greatest body that is collected.
    pub(super) fn refusal(self, limit: usize) -> Refusal {
        match self {
            Self::TooLarge => Refusal::new(
                Reason::BodyTooLarge,
                format!("the request body is larger than {limit} bytes"),
            ),
            Self::Overloaded => Refusal::new(
                Reason::Overloaded,
                "too many request bodies are held at the moment",
            ),
            Self::Broken => Refusal::new(Reason::InvalidRequest, "the request body broke off"),
        }
    }
}
