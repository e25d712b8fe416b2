use std::task::{Context, Poll, ready};

use http_body::Body;

use super::form::{Peek, peek};
use crate::body::Beginning;

/// Reads an upload as far as the first file, to find the model among its form fields.
pub(super) struct Peeking<B: Body> {
    beginning: Option<Beginning<B>>,
    delimiter: Box<[u8]>,
    /// How many bytes there were at the last look.
    looked_at: usize,
}

/// What was found, with the body to pass on.
pub(super) struct Peeked<B: Body> {
    pub(super) model: Option<Box<str>>,
    pub(super) body: Beginning<B>,
}

/// The form names two models.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TwoModels;

/// How far the eye goes for the model.
const CAP: usize = 64 << 10;

/// A look starts from the beginning, so single bytes do not cause one each.
const STRIDE: usize = 1 << 10;

impl<B: Body> Peeking<B> {
    pub(super) fn new(body: B, delimiter: Box<[u8]>) -> Self {
        Self {
            beginning: Some(Beginning::new(body)),
            delimiter,
            looked_at: 0,
        }
    }

    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<Peeked<B>, TwoModels>> {
        while let Some(beginning) = &mut self.beginning {
            ready!(beginning.poll_more(cx));
            let bytes = beginning.bytes();
            let last = beginning.has_ended() || bytes.len() >= CAP;
            if !last && self.looked_at > 0 && bytes.len() - self.looked_at < STRIDE {
                continue;
            }
            self.looked_at = bytes.len();
            let model = match peek(bytes, &self.delimiter) {
                Peek::More if !last => continue,
                Peek::More | Peek::Nothing => None,
                Peek::Model(model) => Some(model),
                Peek::Twice => return Poll::Ready(Err(TwoModels)),
            };
            if let Some(body) = self.beginning.take() {
                return Poll::Ready(Ok(Peeked { model, body }));
            }
        }
        Poll::Pending
    }
}
