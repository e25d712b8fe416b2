//! What the bodies here have in common.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::{Buf, Bytes, BytesMut};
use http_body::{Body, Frame, SizeHint};
use pin_project::pin_project;

/// The same frame with its data as [`Bytes`]: free of cost where they are that already.
pub(crate) fn into_bytes<D: Buf>(frame: Frame<D>) -> Frame<Bytes> {
    frame.map_data(|mut data| data.copy_to_bytes(data.remaining()))
}

/// A body that passes through, whether or not its beginning had to be read.
#[pin_project]
pub(crate) struct PassThrough<B: Body> {
    prefix: Option<Bytes>,
    /// Trailers or an error that came while the beginning was read.
    next: Option<Result<Frame<Bytes>, B::Error>>,
    #[pin]
    inner: Inner<B>,
}

/// The beginning of a body, read before it is known what to do with it.
pub(crate) struct Beginning<B: Body> {
    /// `None` once it has said that it is over.
    body: Option<Pin<Box<B>>>,
    bytes: BytesMut,
    next: Option<Result<Frame<Bytes>, B::Error>>,
    ended: bool,
}

#[pin_project(project = InnerProj)]
enum Inner<B> {
    Untouched(#[pin] B),
    /// Polled before, and so pinned where it was.
    Begun(Pin<Box<B>>),
    /// Ended while its beginning was read: not every body can be polled again.
    Ended,
}

impl<B: Body> Beginning<B> {
    pub(crate) fn new(body: B) -> Self {
        let ended = body.is_end_stream();
        Self {
            body: Some(Box::pin(body)),
            bytes: BytesMut::new(),
            next: None,
            ended,
        }
    }

    /// What has been read so far.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Whether no more data will come, whether the body came to its end or failed.
    pub(crate) fn has_ended(&self) -> bool {
        self.ended
    }

    /// Reads one more frame, if there is one.
    pub(crate) fn poll_more(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if let Some(body) = self.body.as_mut().filter(|_| !self.ended) {
            match ready!(body.as_mut().poll_frame(cx)) {
                Some(Ok(frame)) if frame.is_data() => {
                    let data = into_bytes(frame).into_data().unwrap_or_default();
                    self.bytes.extend_from_slice(&data);
                    self.ended = body.is_end_stream();
                }
                Some(next) => {
                    self.next = Some(next.map(into_bytes));
                    self.ended = true;
                }
                None => {
                    self.body = None;
                    self.ended = true;
                }
            }
        }
        Poll::Ready(())
    }
}

impl<B: Body> PassThrough<B> {
    pub(crate) fn untouched(body: B) -> Self {
        Self {
            prefix: None,
            next: None,
            inner: Inner::Untouched(body),
        }
    }
}

impl<B: Body> From<Beginning<B>> for PassThrough<B> {
    fn from(
        Beginning {
            body, bytes, next, ..
        }: Beginning<B>,
    ) -> Self {
        let prefix = (!bytes.is_empty()).then(|| bytes.freeze());
        Self {
            prefix,
            next,
            inner: body.map_or(Inner::Ended, Inner::Begun),
        }
    }
}

impl<B: Body> Body for PassThrough<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let this = self.project();
        if let Some(prefix) = this.prefix.take() {
            return Poll::Ready(Some(Ok(Frame::data(prefix))));
        }
        if let Some(next) = this.next.take() {
            return Poll::Ready(Some(next));
        }
        match this.inner.project() {
            InnerProj::Untouched(body) => body.poll_frame(cx).map_ok(into_bytes),
            InnerProj::Begun(body) => body.as_mut().poll_frame(cx).map_ok(into_bytes),
            InnerProj::Ended => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.prefix.is_none() && self.next.is_none() && self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let rest = self.inner.size_hint();
        let prefix = self.prefix.as_ref().map_or(0, |prefix| prefix.len() as u64);
        let mut hint = SizeHint::new();
        hint.set_lower(rest.lower().saturating_add(prefix));
        if let Some(upper) = rest.upper() {
            hint.set_upper(upper.saturating_add(prefix));
        }
        hint
    }
}

impl<B: Body> Inner<B> {
    fn is_end_stream(&self) -> bool {
        match self {
            Self::Untouched(body) => body.is_end_stream(),
            Self::Begun(body) => body.is_end_stream(),
            Self::Ended => true,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Untouched(body) => body.size_hint(),
            Self::Begun(body) => body.size_hint(),
            Self::Ended => SizeHint::with_exact(0),
        }
    }
}
