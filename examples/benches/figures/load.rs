//! Callers that keep their connections: each sends, reads to the end, and sends again.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use bytes::Bytes;
use http::{Request, Response, Version, header};
use http_body_util::{BodyExt, Full};
use hyper::{
    body::Incoming,
    client::conn::{http1, http2},
};
use hyper_util::rt::TokioIo;
use tokio::{net::TcpStream, task};

use crate::{
    Result,
    wire::{Http, Local},
};

/// One caller.
pub(crate) struct Caller {
    sender: Sender,
    host: String,
}

/// A caller's connection, over HTTP/2 shared with others.
enum Sender {
    One(http1::SendRequest<Full<Bytes>>),
    Two(http2::SendRequest<Full<Bytes>>),
}

impl Caller {
    /// Connects, within a [`LocalSet`](task::LocalSet).
    pub(crate) async fn connect(to: SocketAddr, http: Http) -> Result<Self> {
        let stream = TcpStream::connect(to).await?;
        stream.set_nodelay(true)?;
        let stream = TokioIo::new(stream);
        let sender = match http {
            Http::One => {
                let (sender, connection) = http1::handshake(stream).await?;
                task::spawn_local(connection);
                Sender::One(sender)
            }
            Http::Two => {
                let (sender, connection) = http2::handshake(Local, stream).await?;
                task::spawn_local(connection);
                Sender::Two(sender)
            }
        };
        let host = to.to_string();
        Ok(Self { sender, host })
    }

    /// Another caller on the same connection, where the protocol knows that.
    pub(crate) fn beside(&self) -> Option<Self> {
        match &self.sender {
            Sender::One(_) => None,
            Sender::Two(sender) => Some(Self {
                sender: Sender::Two(sender.clone()),
                host: self.host.clone(),
            }),
        }
    }

    /// Sends a chat request.
    pub(crate) async fn send(&mut self, prompt: Bytes) -> Result<Response<Incoming>> {
        let request = Request::post("/v1/chat/completions")
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::AUTHORIZATION, "Bearer sk-0123456789abcdef");
        let answer = match &mut self.sender {
            Sender::One(sender) => {
                let request = request.header(header::HOST, &self.host);
                sender.ready().await?;
                sender.send_request(request.body(Full::new(prompt))?).await
            }
            Sender::Two(sender) => {
                let uri = format!("http://{}/v1/chat/completions", self.host);
                let request = request.uri(uri).version(Version::HTTP_2);
                sender.ready().await?;
                sender.send_request(request.body(Full::new(prompt))?).await
            }
        }?;
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

/// Calls with all callers at once for so long, each with one of these prompts after the other;
/// answers how many calls were made.
pub(crate) async fn drive(
    callers: Vec<Caller>,
    prompts: &[Bytes],
    period: Duration,
) -> Result<(Vec<Caller>, u64)> {
    let until = Instant::now() + period;
    let tasks = callers.into_iter().enumerate().map(|(index, mut caller)| {
        let mut prompts = prompts.to_vec();
        let ahead = 7 * index % prompts.len();
        prompts.rotate_left(ahead);
        task::spawn_local(async move {
            let mut calls = 0;
            for prompt in prompts.into_iter().cycle() {
                if Instant::now() >= until {
                    break;
                }
                let called = caller.call(prompt).await;
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
