use std::{
    fmt,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use aigw_core::{BoxError, outcome::Fault};
use bytes::Bytes;
use http::{HeaderValue, Request, Response, Uri, header, uri::Scheme};
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy,
    rt::{TokioExecutor, TokioTimer},
};
use pin_project::pin_project;
use tower_service::Service;

use super::{Config, ConfigError, Protocol, connect::Connect, diagnose, dial::Dial, tls};
use crate::leaf::TransportError;

/// A pooled HTTP client. Clones share its connections. See the [module](super).
///
/// # Errors
///
/// Each error is a [`TransportError`], which says in a [`Fault`] what it means.
///
/// # Readiness
///
/// Always ready: the pool opens a connection where none is free.
pub struct Client<B> {
    shared: Arc<Shared<B>>,
}

/// What clones have in common: half a kilobyte, of which a stack would hold a copy in each future
/// that keeps its inner service.
struct Shared<B> {
    inner: legacy::Client<Connect<HttpsConnector<Dial>>, B>,
    /// What a proxy wants to hear with each request that it answers itself.
    proxy_authorization: Option<HeaderValue>,
}

/// Bytes of an HTTP/1.1 answer that may wait for a slow reader. The longest head must fit as well.
const HTTP1_BUFFER: usize = 64 * 1024;

/// Bytes of an HTTP/2 answer that may wait for a slow reader: 256 KiB carry 20 MB/s over 12 ms, far
/// above what a model says.
const HTTP2_STREAM_WINDOW: u32 = 256 * 1024;

/// Bytes of all answers on one HTTP/2 connection that may wait, so that sixteen stalled readers do
/// not stall the others.
const HTTP2_CONNECTION_WINDOW: u32 = 16 * HTTP2_STREAM_WINDOW;

impl<B> Client<B>
where
    B: Body + Send,
    B::Data: Send,
{
    /// A client with these settings.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] names the setting that cannot take effect.
    pub fn try_new(config: Config) -> Result<Self, ConfigError> {
        if config
            .connect_timeout
            .is_some_and(|timeout| timeout.is_zero())
        {
            return Err(ConfigError::ZeroConnectTimeout);
        }
        let https = HttpsConnectorBuilder::new()
            .with_tls_config(tls::session(&config.tls)?)
            .https_or_http();
        let dial = Dial::try_new(&config)?;
        let connector = match config.protocol {
            Protocol::Auto => https.enable_all_versions().wrap_connector(dial),
            Protocol::Http1 => https.enable_http1().wrap_connector(dial),
            Protocol::Http2 => https.enable_http2().wrap_connector(dial),
        };
        let inner = legacy::Client::builder(TokioExecutor::new())
            .timer(TokioTimer::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(config.pool_idle_timeout)
            .pool_max_idle_per_host(config.pool_max_idle)
            .http2_only(config.protocol == Protocol::Http2)
            .http1_max_buf_size(HTTP1_BUFFER)
            .http2_initial_stream_window_size(HTTP2_STREAM_WINDOW)
            .http2_initial_connection_window_size(HTTP2_CONNECTION_WINDOW)
            .build(Connect::new(connector, config.connect_timeout));
        let proxy_authorization = config.proxy.and_then(|proxy| proxy.authorization);
        Ok(Self {
            shared: Arc::new(Shared {
                inner,
                proxy_authorization,
            }),
        })
    }
}

impl<B> Service<Request<B>> for Client<B>
where
    B: Body + Send + Unpin + 'static,
    B::Data: Send,
    B::Error: Into<BoxError>,
{
    type Response = Response<ResponseBody>;
    type Error = TransportError;
    type Future = ResponseFuture;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), TransportError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<B>) -> ResponseFuture {
        if let Some(authorization) = &self.shared.proxy_authorization
            && is_plain(request.uri())
        {
            request
                .headers_mut()
                .insert(header::PROXY_AUTHORIZATION, authorization.clone());
        }
        ResponseFuture(self.shared.inner.request(request))
    }
}

/// Whether the proxy reads the request itself.
fn is_plain(uri: &Uri) -> bool {
    uri.scheme() == Some(&Scheme::HTTP)
}

impl<B> Clone for Client<B> {
    fn clone(&self) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
        }
    }
}

impl<B> fmt::Debug for Client<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").finish_non_exhaustive()
    }
}

/// The answer of a [`Client`]. Dropping it cancels the call.
#[derive(Debug)]
#[must_use = "futures do nothing unless polled"]
pub struct ResponseFuture(legacy::ResponseFuture);

impl Future for ResponseFuture {
    type Output = Result<Response<ResponseBody>, TransportError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(cx).map(|answer| match answer {
            Ok(answer) => Ok(answer.map(ResponseBody)),
            Err(error) => {
                let fault = diagnose::request(&error);
                Err(TransportError::new(fault, error.into()))
            }
        })
    }
}

/// The body of an answer, as it comes in. Dropping it before its end cancels the call.
#[pin_project]
#[derive(Debug)]
pub struct ResponseBody(#[pin] Incoming);

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = TransportError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, TransportError>>> {
        self.project().0.poll_frame(cx).map_err(|error| {
            // Its answer has begun, so the request was sent.
            let fault = Fault::dispatched(diagnose::exchange(&error).kind);
            TransportError::new(fault, error.into())
        })
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.0.size_hint()
    }
}
