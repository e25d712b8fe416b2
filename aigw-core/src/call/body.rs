use std::{
    fmt,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use pin_project::pin_project;

use super::{Call, Edit, HasCall, edit::Edits};
use crate::body::{Beginning, PassThrough};

/// A request body that has been read into a [`Call`], or that passes through unread.
///
/// *Buffered*, it yields the caller's bytes with the [edits](Edit) spliced in, sharing memory with
/// every clone. *Opaque*, it yields what was peeked at and then the caller's own frames and
/// trailers.
#[pin_project]
pub struct CallBody<B: Body> {
    call: Arc<Call>,
    #[pin]
    state: State<B>,
}

#[pin_project(project = StateProj)]
enum State<B: Body> {
    /// Nothing sent yet: edits are still welcome.
    Whole(Edits),
    Sending(Sending),
    Opaque(#[pin] PassThrough<B>),
}

/// What is still to be sent of an edited document.
struct Sending {
    edits: Edits,
    /// The place of the next piece.
    place: usize,
    /// How many bytes it and those behind it have.
    left: usize,
}

impl Sending {
    fn next(&mut self, body: &Bytes) -> Option<Bytes> {
        while self.left > 0 {
            let piece = self.edits.piece(body, self.place)?;
            self.place += 1;
            self.left = self.left.saturating_sub(piece.len());
            if !piece.is_empty() {
                return Some(piece);
            }
        }
        None
    }
}

impl<B: Body> CallBody<B> {
    pub(super) fn buffered(call: Arc<Call>) -> Self {
        Self {
            call,
            state: State::Whole(Edits::default()),
        }
    }

    pub(super) fn carried(&self) -> &Arc<Call> {
        &self.call
    }

    pub(super) fn opaque(call: Arc<Call>, inner: B) -> Self {
        Self {
            call,
            state: State::Opaque(PassThrough::untouched(inner)),
        }
    }

    /// Passes on a body of which the beginning has been read.
    pub(super) fn begun(call: Arc<Call>, body: Beginning<B>) -> Self {
        Self {
            call,
            state: State::Opaque(body.into()),
        }
    }
}

impl<B: Body> HasCall for CallBody<B> {
    fn call(&self) -> &Arc<Call> {
        &self.call
    }

    fn model(&self) -> Option<&str> {
        match &self.state {
            State::Whole(edits) => edits.model().or_else(|| self.call.model()),
            _ => self.call.model(),
        }
    }

    fn edit(&mut self, edit: Edit) -> bool {
        match &mut self.state {
            State::Whole(edits) => edits.apply(&self.call, edit),
            _ => false,
        }
    }

    fn try_clone(&self) -> Option<Self> {
        match &self.state {
            State::Whole(edits) => Some(Self {
                call: Arc::clone(&self.call),
                state: State::Whole(edits.clone()),
            }),
            _ => None,
        }
    }
}

impl<B: Body> Body for CallBody<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let mut this = self.project();
        let empty = Bytes::new();
        let body = this.call.body().unwrap_or(&empty);
        if let StateProj::Whole(edits) = this.state.as_mut().project() {
            let sending = Sending {
                left: edits.len(body),
                place: 0,
                edits: std::mem::take(edits),
            };
            this.state.set(State::Sending(sending));
        }
        match this.state.project() {
            StateProj::Whole(_) => Poll::Ready(None),
            StateProj::Sending(rest) => Poll::Ready(rest.next(body).map(Frame::data).map(Ok)),
            StateProj::Opaque(inner) => inner.poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.state {
            State::Whole(edits) => self.call.body().is_none_or(|body| edits.len(body) == 0),
            State::Sending(rest) => rest.left == 0,
            State::Opaque(inner) => inner.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        let exact = |len: usize| SizeHint::with_exact(len as u64);
        match &self.state {
            State::Whole(edits) => exact(self.call.body().map_or(0, |body| edits.len(body))),
            State::Sending(rest) => exact(rest.left),
            State::Opaque(inner) => inner.size_hint(),
        }
    }
}

impl<B: Body> fmt::Debug for CallBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallBody")
            .field("call", &self.call)
            .finish_non_exhaustive()
    }
}
