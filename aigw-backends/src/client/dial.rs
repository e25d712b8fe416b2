use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
};

use aigw_core::BoxError;
use http::{Uri, uri::Scheme};
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::{
    client::legacy::connect::{Connected, Connection, HttpConnector, proxy::Tunnel},
    rt::TokioIo,
};
use tokio::net::TcpStream;
use tower_service::Service;

use super::{Config, ConfigError, Proxy};

/// Opens the TCP connection: to the provider, or to the proxy on the way to it.
#[derive(Clone, Debug)]
pub(super) struct Dial {
    tcp: HttpConnector,
    proxy: Option<Proxy>,
}

impl Dial {
    pub(super) fn try_new(config: &Config) -> Result<Self, ConfigError> {
        if let Some(proxy) = &config.proxy {
            check(&proxy.uri)?;
        }
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(config.nodelay);
        tcp.set_keepalive(config.keepalive);
        Ok(Self {
            tcp,
            proxy: config.proxy.clone(),
        })
    }
}

fn check(proxy: &Uri) -> Result<(), ConfigError> {
    let plain = proxy.scheme() == Some(&Scheme::HTTP) && matches!(proxy.path(), "" | "/");
    let bare = proxy
        .authority()
        .is_some_and(|authority| !authority.as_str().contains('@'));
    if plain && bare {
        Ok(())
    } else {
        Err(ConfigError::Proxy)
    }
}

impl Service<Uri> for Dial {
    type Response = Dialed;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Dialed, BoxError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.tcp.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        // The pool boxes each connection attempt anyway.
        let mut tcp = self.tcp.clone();
        match self.proxy.clone() {
            None => Box::pin(async move { Ok(Dialed::new(tcp.call(uri).await?, false)) }),
            Some(proxy) if uri.scheme() == Some(&Scheme::HTTPS) => Box::pin(async move {
                let mut tunnel = Tunnel::new(proxy.uri, tcp);
                if let Some(authorization) = proxy.authorization {
                    tunnel = tunnel.with_auth(authorization);
                }
                Ok(Dialed::new(tunnel.call(uri).await?, false))
            }),
            Some(proxy) => {
                Box::pin(async move { Ok(Dialed::new(tcp.call(proxy.uri).await?, true)) })
            }
        }
    }
}

/// An open TCP connection.
#[derive(Debug)]
pub(super) struct Dialed {
    stream: TokioIo<TcpStream>,
    /// Whether a proxy answers at its other end, which then wants to read the whole URL.
    proxied: bool,
}

impl Dialed {
    fn new(stream: TokioIo<TcpStream>, proxied: bool) -> Self {
        Self { stream, proxied }
    }
}

impl Connection for Dialed {
    fn connected(&self) -> Connected {
        self.stream.inner().connected().proxy(self.proxied)
    }
}

impl Read for Dialed {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl Write for Dialed {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
    }
}
