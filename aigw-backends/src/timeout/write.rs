use std::{
    fmt, io,
    pin::Pin,
    task::{Context, Poll},
    time::{Duration, Instant},
};

use aigw_core::rt::Timer;
use pin_project::pin_project;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::alarm::Alarm;

/// A connection that fails when its peer takes nothing for too long.
///
/// A server asks a body for more only once the peer has taken what there was. A reader that never
/// reads therefore holds a call, its reservations and its provider's connection without anybody
/// noticing. Wrapped around the accepted connection, this ends it: when a write, flush or shutdown
/// has been pending for `timeout` without taking one byte, it fails with
/// [`TimedOut`](io::ErrorKind::TimedOut), and the server drops the connection with everything above
/// it. Reading is not bounded.
///
/// Over HTTP/2 it sees the connection, not its streams: a peer that withholds the window of one
/// stream, but reads on, is not stalled in this sense; [`ReaderTimeoutLayer`] gives such answers
/// up.
///
/// [`ReaderTimeoutLayer`]: super::ReaderTimeoutLayer
///
/// # Examples
///
/// ```
/// use std::time::Duration;
///
/// use aigw_backends::timeout::WriteTimeout;
/// use aigw_core::rt::Tokio;
/// use tokio::io::AsyncWriteExt;
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() {
/// let (server, _reader_that_never_reads) = tokio::io::duplex(16);
/// let mut server = WriteTimeout::new(server, Duration::from_secs(30), Tokio);
/// let error = server.write_all(&[0; 64]).await.unwrap_err();
/// assert_eq!(error.kind(), std::io::ErrorKind::TimedOut);
/// # }
/// ```
#[pin_project]
pub struct WriteTimeout<I, T: Timer> {
    #[pin]
    inner: I,
    timeout: Duration,
    /// When the peer must have taken something, while it is waited for.
    deadline: Option<Instant>,
    timer: T,
    /// Boxed, because servers want connections that can be moved; and not there until a write has
    /// to wait.
    alarm: Option<Pin<Box<Alarm<T>>>>,
}

impl<I, T: Timer> WriteTimeout<I, T> {
    /// Bounds how long the peer may take nothing.
    pub fn new(inner: I, timeout: Duration, timer: T) -> Self {
        Self {
            inner,
            timeout,
            deadline: None,
            timer,
            alarm: None,
        }
    }

    /// The connection.
    pub fn get_ref(&self) -> &I {
        &self.inner
    }

    /// The connection, without the bound.
    pub fn into_inner(self) -> I {
        self.inner
    }

    /// Lets an operation wait until the deadline at most.
    fn bound<R>(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        operation: impl FnOnce(Pin<&mut I>, &mut Context<'_>) -> Poll<io::Result<R>>,
    ) -> Poll<io::Result<R>> {
        let this = self.project();
        if let Poll::Ready(result) = operation(this.inner, cx) {
            *this.deadline = None;
            return Poll::Ready(result);
        }
        if this.deadline.is_none() {
            *this.deadline = this.timer.now().checked_add(*this.timeout);
        }
        match *this.deadline {
            None => Poll::Pending,
            Some(deadline) => this
                .alarm
                .get_or_insert_with(|| Box::pin(Alarm::new(this.timer.clone())))
                .as_mut()
                .poll(cx, deadline)
                .map(|()| Err(io::ErrorKind::TimedOut.into())),
        }
    }
}

impl<I: AsyncWrite, T: Timer> AsyncWrite for WriteTimeout<I, T> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.bound(cx, |inner, cx| inner.poll_write(cx, buf))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.bound(cx, |inner, cx| inner.poll_write_vectored(cx, bufs))
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.bound(cx, AsyncWrite::poll_flush)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.bound(cx, AsyncWrite::poll_shutdown)
    }
}

impl<I: AsyncRead, T: Timer> AsyncRead for WriteTimeout<I, T> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.project().inner.poll_read(cx, buf)
    }
}

impl<I: fmt::Debug, T: Timer> fmt::Debug for WriteTimeout<I, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WriteTimeout")
            .field("inner", &self.inner)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}
