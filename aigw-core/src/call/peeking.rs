use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::{Bytes, BytesMut};
use http_body::Body;

use super::form::{Peek, peek};
use crate::body::into_bytes;

/// Reads an upload as far as the first file, to find the model among its form fields.
pub(super) struct Peeking<B> {
    body: Option<Pin<Box<B>>>,
    delimiter: Box<[u8]>,
    bytes: BytesMut,
    /// How many bytes there were at the last look.
    looked_at: usize,
}

/// What was found, with the body to pass on and what was read of it.
pub(super) struct Peeked<B> {
    pub(super) model: Option<Box<str>>,
    pub(super) prefix: Bytes,
    pub(super) body: Pin<Box<B>>,
}

/// Why an upload cannot be passed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unpeekable {
    /// It names two models.
    Twice,
    /// The caller broke off.
    Broken,
}

/// How far the eye goes for the model.
const CAP: usize = 64 << 10;

/// A look starts from the beginning, so single bytes do not cause one each.
const STRIDE: usize = 1 << 10;

impl<B: Body> Peeking<B> {
    pub(super) fn new(body: B, delimiter: Box<[u8]>) -> Self {
        Self {
            body: Some(Box::pin(body)),
            delimiter,
            bytes: BytesMut::new(),
            looked_at: 0,
        }
    }

    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<Peeked<B>, Unpeekable>> {
        while let Some(body) = &mut self.body {
            let ended = match ready!(body.as_mut().poll_frame(cx)) {
                Some(Ok(frame)) => {
                    if let Ok(data) = into_bytes(frame).into_data() {
                        self.bytes.extend_from_slice(&data);
                    }
                    body.is_end_stream() || self.bytes.len() >= CAP
                }
                Some(Err(_)) => break,
                None => true,
            };
            let grown = self.bytes.len() - self.looked_at;
            if !ended && grown < STRIDE && self.looked_at > 0 {
                continue;
            }
            self.looked_at = self.bytes.len();
            let model = match peek(&self.bytes, &self.delimiter) {
                Peek::More if !ended => continue,
                Peek::More | Peek::Nothing => None,
                Peek::Model(model) => Some(model),
                Peek::Twice => return Poll::Ready(Err(Unpeekable::Twice)),
            };
            if let Some(body) = self.body.take() {
                let prefix = std::mem::take(&mut self.bytes).freeze();
                return Poll::Ready(Ok(Peeked {
                    model,
                    prefix,
                    body,
                }));
            }
        }
        Poll::Ready(Err(Unpeekable::Broken))
    }
}
