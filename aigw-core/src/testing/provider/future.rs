use std::{
    convert::Infallible,
    fmt,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use bytes::{BufMut, BytesMut};
use http::{Response, request};
use http_body::Body;
use pin_project::pin_project;

use super::{ResponseBody, compose, log::Entry, reply::Reply, service::Shared};
use crate::rt::Timer;

/// The answer of a [`Provider`](super::Provider), once the request has been read and its time has
/// come.
#[pin_project]
#[must_use = "futures do nothing unless polled"]
pub struct ResponseFuture<B, T: Timer> {
    shared: Arc<Shared>,
    timer: T,
    head: request::Parts,
    entry: Option<Entry>,
    #[pin]
    state: State<B, T>,
}

#[pin_project(project = StateProj)]
enum State<B, T: Timer> {
    Reading {
        #[pin]
        body: B,
        read: BytesMut,
    },
    Waiting {
        #[pin]
        sleep: Option<T::Sleep>,
        reply: Option<Reply>,
    },
}

impl<B, T: Timer> ResponseFuture<B, T> {
    pub(super) fn new(
        shared: Arc<Shared>,
        timer: T,
        head: request::Parts,
        entry: Entry,
        body: B,
    ) -> Self {
        let read = BytesMut::new();
        Self {
            shared,
            timer,
            head,
            entry: Some(entry),
            state: State::Reading { body, read },
        }
    }
}

impl<B: Body, T: Timer> Future for ResponseFuture<B, T> {
    type Output = Result<Response<ResponseBody<T>>, Infallible>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        loop {
            match this.state.as_mut().project() {
                StateProj::Reading { mut body, read } => {
                    let reply = match ready!(body.as_mut().poll_frame(cx)) {
                        Some(Ok(frame)) => {
                            if let Ok(data) = frame.into_data() {
                                read.put(data);
                            }
                            if read.len() <= this.shared.config.max_body_bytes {
                                continue;
                            }
                            compose::too_large(this.head)
                        }
                        Some(Err(_)) => compose::unreadable(this.head),
                        None => {
                            let body = read.split().freeze();
                            if let Some(entry) = &this.entry {
                                entry.read(&body);
                            }
                            let (now, wall) = (this.timer.now(), this.timer.wall());
                            compose::reply(this.shared, this.head, &body, now, wall)
                        }
                    };
                    let wait = !reply.delay.is_zero();
                    let deadline = this.timer.now().checked_add(reply.delay).filter(|_| wait);
                    let sleep = deadline.map(|deadline| this.timer.sleep_until(deadline));
                    let reply = Some(reply);
                    this.state.set(State::Waiting { sleep, reply });
                }
                StateProj::Waiting { mut sleep, reply } => {
                    if let Some(wait) = sleep.as_mut().as_pin_mut() {
                        ready!(wait.poll(cx));
                        sleep.set(None);
                    }
                    let (Some(reply), Some(entry)) = (reply.take(), this.entry.take()) else {
                        // Polled again after it was done.
                        return Poll::Pending;
                    };
                    entry.note(|call| call.status = Some(reply.status));
                    let mut response = Response::new(());
                    *response.status_mut() = reply.status;
                    *response.headers_mut() = reply.headers.clone();
                    let body = ResponseBody::new(reply, this.timer.clone(), entry);
                    return Poll::Ready(Ok(response.map(|()| body)));
                }
            }
        }
    }
}

impl<B, T: Timer> fmt::Debug for ResponseFuture<B, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}
