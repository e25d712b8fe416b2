//! Which HTTP is spoken on either side of a gateway.

use std::str::FromStr;

use aigw_core::BoxError;
use bytes::Bytes;
use http_body::Body;
use hyper::{
    body::Incoming,
    rt::Executor,
    server::conn::{http1, http2},
    service::HttpService,
};
use hyper_util::rt::TokioIo;
use tokio::{net::TcpStream, task};

/// A version of HTTP; the second with prior knowledge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Http {
    One,
    Two,
}

/// What the callers speak to the gateway, and the gateway to the provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Wire {
    pub(crate) callers: Http,
    pub(crate) provider: Http,
}

impl Wire {
    pub(crate) const HTTP1: Self = Self {
        callers: Http::One,
        provider: Http::One,
    };
    /// As at most sites: callers of every age, a provider that knows HTTP/2.
    pub(crate) const MIXED: Self = Self {
        callers: Http::One,
        provider: Http::Two,
    };
    pub(crate) const HTTP2: Self = Self {
        callers: Http::Two,
        provider: Http::Two,
    };

    pub(crate) const ALL: [Self; 3] = [Self::HTTP1, Self::MIXED, Self::HTTP2];

    pub(crate) fn name(self) -> &'static str {
        match (self.callers, self.provider) {
            (Http::One, Http::One) => "HTTP/1.1",
            (Http::One, Http::Two) => "HTTP/1.1 to HTTP/2",
            (Http::Two, Http::One) => "HTTP/2 to HTTP/1.1",
            (Http::Two, Http::Two) => "HTTP/2",
        }
    }
}

impl FromStr for Wire {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let mut all = Self::ALL.into_iter();
        all.find(|wire| wire.name() == name)
            .ok_or_else(|| format!("nobody speaks `{name}`"))
    }
}

/// Runs what HTTP/2 needs for each stream in the [`LocalSet`](task::LocalSet) of this thread.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Local;

impl<F: Future<Output: 'static> + 'static> Executor<F> for Local {
    fn execute(&self, future: F) {
        task::spawn_local(future);
    }
}

/// Serves one connection in a task of its own.
pub(crate) fn attend<S, B>(stream: TokioIo<TcpStream>, http: Http, service: S)
where
    S: HttpService<Incoming, ResBody = B, Error: Into<BoxError>, Future: 'static> + 'static,
    B: Body<Data = Bytes, Error: Into<BoxError>> + 'static,
{
    match http {
        Http::One => {
            let connection = http1::Builder::new().serve_connection(stream, service);
            task::spawn_local(connection);
        }
        Http::Two => {
            let connection = http2::Builder::new(Local)
                .max_concurrent_streams(u32::MAX)
                .serve_connection(stream, service);
            task::spawn_local(connection);
        }
    }
}
