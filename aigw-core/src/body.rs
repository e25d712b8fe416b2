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
enum Inner<B: Body> {
    Untouched(#[pin] B),
    /// Boxed, for it is large and rare: all others would have to keep the room for it.
    Begun(Box<Begun<B>>),
}

/// A body whose beginning has been read.
struct Begun<B: Body> {
    prefix: Option<Bytes>,
    /// Trailers or an error that came while the beginning was read.
    next: Option<Result<Frame<Bytes>, B::Error>>,
    /// Polled before, and so pinned where it was. `None` if it ended while its beginning was read:
    /// not every body can be polled again.
    rest: Option<Pin<Box<B>>>,
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
            inner: Inner::Begun(Box::new(Begun {
                prefix,
                next,
                rest: body,
            })),
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
        match self.project().inner.project() {
            InnerProj::Untouched(body) => body.poll_frame(cx).map_ok(into_bytes),
            InnerProj::Begun(begun) => begun.poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.inner {
            Inner::Untouched(body) => body.is_end_stream(),
            Inner::Begun(begun) => begun.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.inner {
            Inner::Untouched(body) => body.size_hint(),
            Inner::Begun(begun) => begun.size_hint(),
        }
    }
}

impl<B: Body> Begun<B> {
    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        if let Some(prefix) = self.prefix.take() {
            return Poll::Ready(Some(Ok(Frame::data(prefix))));
        }
        if let Some(next) = self.next.take() {
            return Poll::Ready(Some(next));
        }
        match &mut self.rest {
            Some(body) => body.as_mut().poll_frame(cx).map_ok(into_bytes),
            None => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        let ended = self.rest.as_ref().is_none_or(|body| body.is_end_stream());
        self.prefix.is_none() && self.next.is_none() && ended
    }

    fn size_hint(&self) -> SizeHint {
        let rest = match &self.rest {
            Some(body) => body.size_hint(),
            None => SizeHint::with_exact(0),
        };
        let prefix = self.prefix.as_ref().map_or(0, |prefix| prefix.len() as u64);
        let mut hint = SizeHint::new();
        hint.set_lower(rest.lower().saturating_add(prefix));
        if let Some(upper) = rest.upper() {
            hint.set_upper(upper.saturating_add(prefix));
        }
        hint
    }
}
