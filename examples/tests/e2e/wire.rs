//! HTTP/1 by hand: what a well-behaved client would not send, and what it would not look at.

use std::{io, net::SocketAddr};

use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
    time::timeout,
};

use crate::house::PATIENCE;

/// One end of a connection.
pub(crate) struct Wire {
    stream: TcpStream,
    unread: Vec<u8>,
}

/// The head of a message.
#[derive(Debug)]
pub(crate) struct Head {
    /// The request or status line.
    pub(crate) line: String,
    pub(crate) headers: HeaderMap,
}

/// An answer, its body read to the end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) head: Head,
    pub(crate) body: Vec<u8>,
}

/// How a body says where it ends.
enum Framing {
    Length(usize),
    Chunked,
    Close,
}

/// A request without a body.
pub(crate) fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nhost: gateway\r\n\r\n")
}

/// A request with a body of JSON.
pub(crate) fn post(path: &str, body: &str) -> String {
    post_with(path, "content-type: application/json", body)
}

/// A request with a body and header lines of its own.
pub(crate) fn post_with(path: &str, headers: &str, body: &str) -> String {
    let length = body.len();
    let headers = format!("host: gateway\r\n{headers}\r\ncontent-length: {length}");
    format!("POST {path} HTTP/1.1\r\n{headers}\r\n\r\n{body}")
}

impl Wire {
    pub(crate) fn new(stream: TcpStream) -> Self {
        Self {
            stream,
            unread: Vec::new(),
        }
    }

    pub(crate) async fn connect(address: SocketAddr) -> Self {
        Self::new(TcpStream::connect(address).await.unwrap())
    }

    /// A connection from this address of the loopback network.
    #[cfg(target_os = "linux")]
    pub(crate) async fn connect_from(from: [u8; 4], address: SocketAddr) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(SocketAddr::from((from, 0))).unwrap();
        Self::new(socket.connect(address).await.unwrap())
    }

    /// A connection whose kernel takes little that is not read.
    pub(crate) async fn connect_narrow(address: SocketAddr) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(NARROW).unwrap();
        Self::new(socket.connect(address).await.unwrap())
    }

    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.try_send(bytes).await.unwrap();
    }

    pub(crate) async fn try_send(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        patiently(self.stream.write_all(bytes.as_ref())).await
    }

    /// Says that nothing more will be sent.
    pub(crate) async fn finish(&mut self) {
        self.stream.shutdown().await.unwrap();
    }

    /// The underlying stream, when no byte has been read ahead.
    pub(crate) fn into_stream(self) -> TcpStream {
        assert!(self.unread.is_empty());
        self.stream
    }

    /// Reads what has come; false at the end, and where the peer has reset the connection.
    pub(crate) async fn fill(&mut self) -> bool {
        patiently(self.stream.read_buf(&mut self.unread))
            .await
            .is_ok_and(|read| read > 0)
    }

    /// Waits, with no bound, until the peer closes, throwing away what it sends.
    pub(crate) async fn closed(&mut self) {
        let mut rest = [0; 4096];
        while matches!(self.stream.read(&mut rest).await, Ok(1..)) {}
    }

    /// Reads a message's head.
    pub(crate) async fn head(&mut self) -> Head {
        self.try_head().await.expect("a head, not the end")
    }

    /// Reads a message's head, or the end of the connection.
    pub(crate) async fn try_head(&mut self) -> Option<Head> {
        let end = loop {
            match find(&self.unread, b"\r\n\r\n") {
                Some(end) => break end,
                None if self.fill().await => {}
                None => return None,
            }
        };
        let text = String::from_utf8(self.take(end + 4)).unwrap();
        let mut lines = text.lines();
        let line = lines.next().unwrap().to_owned();
        let pairs = lines.filter_map(|line| line.split_once(": "));
        let headers = pairs.map(|(name, value)| {
            let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
            (name, HeaderValue::from_str(value).unwrap())
        });
        Some(Head {
            line,
            headers: headers.collect(),
        })
    }

    /// Reads a whole request, whose length must be announced.
    pub(crate) async fn request(&mut self) -> Option<(Head, Vec<u8>)> {
        let head = self.try_head().await?;
        let length = head.length().unwrap_or(0);
        let body = self.exactly(length).await;
        Some((head, body))
    }

    /// Reads a whole answer.
    pub(crate) async fn answer(&mut self) -> Answer {
        let head = self.head().await;
        let mut body = Vec::new();
        match head.framing() {
            Framing::Length(length) => body = self.exactly(length).await,
            Framing::Chunked => {
                while let Some(piece) = self.piece().await {
                    body.extend(piece);
                }
            }
            Framing::Close => {
                while self.fill().await {}
                body.append(&mut self.unread);
            }
        }
        Answer { head, body }
    }

    /// Reads the next piece of a chunked body; `None` at its end.
    pub(crate) async fn piece(&mut self) -> Option<Vec<u8>> {
        let piece = self.try_piece().await.expect("the last chunk, not the end");
        (!piece.is_empty()).then_some(piece)
    }

    /// Reads the next piece of a chunked body, empty at its end; `None` where the connection breaks
    /// off instead.
    pub(crate) async fn try_piece(&mut self) -> Option<Vec<u8>> {
        let end = loop {
            match find(&self.unread, b"\r\n") {
                Some(end) => break end,
                None if self.fill().await => {}
                None => return None,
            }
        };
        let size = String::from_utf8(self.take(end + 2)).unwrap();
        let size = usize::from_str_radix(size.trim_end(), 16).unwrap();
        while self.unread.len() < size + 2 {
            if !self.fill().await {
                return None;
            }
        }
        let mut piece = self.take(size + 2);
        assert_eq!(piece.split_off(size), b"\r\n");
        Some(piece)
    }

    async fn exactly(&mut self, length: usize) -> Vec<u8> {
        while self.unread.len() < length {
            assert!(self.fill().await, "the body breaks off");
        }
        self.take(length)
    }

    fn take(&mut self, length: usize) -> Vec<u8> {
        let rest = self.unread.split_off(length);
        std::mem::replace(&mut self.unread, rest)
    }
}

/// The smallest that kernels make of it is a few KiB.
const NARROW: u32 = 16 << 10;

async fn patiently<T>(work: impl Future<Output = T>) -> T {
    timeout(PATIENCE, work).await.expect("the peer answers")
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack
        .windows(needle.len())
        .position(|window| window == needle)
}

impl Head {
    /// The status of an answer.
    pub(crate) fn status(&self) -> u16 {
        let status = self.line.split(' ').nth(1).unwrap();
        status.parse().unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    fn length(&self) -> Option<usize> {
        Some(self.header("content-length")?.parse().unwrap())
    }

    fn framing(&self) -> Framing {
        if self.header("transfer-encoding") == Some("chunked") {
            Framing::Chunked
        } else {
            self.length().map_or(Framing::Close, Framing::Length)
        }
    }
}

impl Answer {
    pub(crate) fn status(&self) -> u16 {
        self.head.status()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }
}
