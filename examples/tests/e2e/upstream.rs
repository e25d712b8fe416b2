//! A provider by hand, which sees what becomes of each connection.

use tokio::net::{TcpListener, TcpSocket};

use crate::wire::Wire;

/// The head of a streamed answer.
pub(crate) const STREAM: &str =
    "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";

/// Serves every connection as `serve` does, for as long as the test runs, and gives its URL.
pub(crate) async fn upstream<F>(serve: impl Fn(Wire) -> F + Send + 'static) -> String
where
    F: Future<Output = ()> + Send + 'static,
{
    // Accepted connections inherit it: the kernel keeps little that the gateway does not take.
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_send_buffer_size(64 << 10).unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener: TcpListener = socket.listen(1024).unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            tokio::spawn(serve(Wire::new(stream)));
        }
    });
    format!("http://{address}")
}

/// A piece of a chunked body.
pub(crate) fn chunk(data: &str) -> String {
    format!("{:x}\r\n{data}\r\n", data.len())
}

/// An event of a chat stream.
pub(crate) fn event(content: &str) -> String {
    let delta = serde_json::json!({"choices": [{"index": 0, "delta": {"content": content}}]});
    format!("data: {delta}\n\n")
}
