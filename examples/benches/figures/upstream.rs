//! A provider that says the same to everyone, as cheaply as hyper can.

use std::{
    cell::RefCell,
    convert::Infallible,
    net::SocketAddr,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{Response, header};
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use hyper::{body::Incoming, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{net::TcpListener, task};

use crate::{
    Result,
    payload::Answer,
    wire::{self, Http},
};

/// What is answered from now on, and how.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) answer: Answer,
    pub(crate) pace: Pace,
}

/// How the events of a stream follow each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pace {
    /// As many to a packet as fit.
    AtOnce,
    /// Each in a packet of its own, as a model says them.
    Apart,
    /// The first, and then nothing until the caller hangs up.
    Silent,
}

/// A provider in this thread.
#[derive(Clone, Debug)]
pub(crate) struct Upstream {
    pub(crate) address: SocketAddr,
    reply: Rc<RefCell<Reply>>,
}

impl Upstream {
    /// Listens, within a [`LocalSet`](task::LocalSet).
    pub(crate) async fn start(http: Http) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let upstream = Self {
            address: listener.local_addr()?,
            reply: Rc::new(RefCell::new(Reply {
                answer: Answer::Whole(Bytes::new()),
                pace: Pace::AtOnce,
            })),
        };
        let reply = upstream.reply.clone();
        task::spawn_local(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let _ = stream.set_nodelay(true);
                let reply = reply.clone();
                let service = service_fn(move |request| answer(request, reply.borrow().clone()));
                wire::attend(TokioIo::new(stream), http, service);
            }
        });
        Ok(upstream)
    }

    /// Answers so from now on.
    pub(crate) fn reply(&self, answer: Answer, pace: Pace) {
        *self.reply.borrow_mut() = Reply { answer, pace };
    }
}

async fn answer(
    request: http::Request<Incoming>,
    reply: Reply,
) -> std::result::Result<Response<Canned>, Infallible> {
    let mut body = request.into_body();
    // Not every body that has failed says that it is over.
    while let Some(Ok(_)) = body.frame().await {}
    let (media, chunks) = reply.answer.parts();
    let mut response = Response::new(Canned {
        chunks: chunks.into_iter(),
        pace: reply.pace,
        pauses: false,
    });
    response.headers_mut().insert(header::CONTENT_TYPE, media);
    Ok(response)
}

/// Chunks that are known already.
struct Canned {
    chunks: std::vec::IntoIter<Bytes>,
    pace: Pace,
    pauses: bool,
}

impl Body for Canned {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<std::result::Result<Frame<Bytes>, Infallible>>> {
        if std::mem::take(&mut self.pauses) {
            match self.pace {
                Pace::AtOnce => {}
                // Being pending lets hyper send what it has.
                Pace::Apart => {
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
                Pace::Silent => {
                    self.pauses = true;
                    return Poll::Pending;
                }
            }
        }
        self.pauses = self.pace != Pace::AtOnce;
        Poll::Ready(self.chunks.next().map(Frame::data).map(Ok))
    }

    fn size_hint(&self) -> SizeHint {
        match self.chunks.as_slice() {
            [whole] if self.pace == Pace::AtOnce => SizeHint::with_exact(whole.len() as u64),
            _ => SizeHint::new(),
        }
    }
}
