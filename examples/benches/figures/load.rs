//! Callers that keep their connections: each sends, reads to the end, and sends again.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use bytes::Bytes;
use http::{Request, Response, header};
use http_body_util::{BodyExt, Full};
use hyper::{
    body::Incoming,
    client::conn::http1::{self, SendRequest},
};
use hyper_util::rt::TokioIo;
use tokio::{net::TcpStream, task};

use crate::Result;

/// One caller.
pub(crate) struct Caller {
    sender: SendRequest<Full<Bytes>>,
    host: String,
}

impl Caller {
    /// Connects, within a [`LocalSet`](task::LocalSet).
    pub(crate) async fn connect(to: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(to).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        task::spawn_local(connection);
        let host = to.to_string();
        Ok(Self { sender, host })
    }

    /// Sends a chat request.
    pub(crate) async fn send(&mut self, prompt: Bytes) -> Result<Response<Incoming>> {
        let request = Request::post("/v1/chat/completions")
            .header(header::HOST, &self.host)
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::AUTHORIZATION, "Bearer sk-0123456789abcdef")
            .body(Full::new(prompt))?;
        self.sender.ready().await?;
        let answer = self.sender.send_request(request).await?;
        if !answer.status().is_success() {
            return Err(format!("{} answered {}", self.host, answer.status()).into());
        }
        Ok(answer)
    }

    /// Sends, and reads to the end; answers how long the first byte of the body took.
    pub(crate) async fn call(&mut self, prompt: Bytes) -> Result<Duration> {
        let began = Instant::now();
        let mut body = self.send(prompt).await?.into_body();
        let mut first = None;
        while let Some(frame) = body.frame().await {
            frame?;
            first.get_or_insert_with(|| began.elapsed());
        }
        Ok(first.ok_or("an answer without a byte")?)
    }
}

/// Calls with all callers at once for so long; answers how many calls were made.
pub(crate) async fn drive(
    callers: Vec<Caller>,
    prompt: &Bytes,
    period: Duration,
) -> Result<(Vec<Caller>, u64)> {
    let until = Instant::now() + period;
    let tasks = callers.into_iter().map(|mut caller| {
        let prompt = prompt.clone();
        task::spawn_local(async move {
            let mut calls = 0;
            while Instant::now() < until {
                let called = caller.call(prompt.clone()).await;
                // Errors do not cross tasks as they are.
                called.map_err(|error| error.to_string())?;
                calls += 1;
            }
            Ok::<_, String>((caller, calls))
        })
    });
    let mut idle = Vec::new();
    let mut calls = 0;
    for task in tasks.collect::<Vec<_>>() {
        let (caller, made) = task.await??;
        idle.push(caller);
        calls += made;
    }
    Ok((idle, calls))
}
