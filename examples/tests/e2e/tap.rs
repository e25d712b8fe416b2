//! A simulated provider with an ear at it: what it served, read by other means than the gateway's.

use std::{
    convert::Infallible,
    net::SocketAddr,
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll, ready},
};

use aigw_core::{
    BoxError,
    rt::Tokio,
    testing::{Provider, provider},
};
use aigw_examples::server::Server;
use bytes::Bytes;
use http::{Request, Response};
use http_body::{Body, Frame};
use hyper::body::Incoming;
use serde_json::Value;
use tokio::net::TcpListener;
use tower::Service;

/// A provider that remembers the bytes of its answers.
#[derive(Clone)]
pub(crate) struct Tap {
    address: SocketAddr,
    provider: Provider<Tokio>,
    answers: Arc<Mutex<Vec<Answer>>>,
}

type Answer = Arc<Mutex<Vec<u8>>>;

/// What a provider stated, over all its answers.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Served {
    pub(crate) calls: u64,
    pub(crate) input: u64,
    pub(crate) output: u64,
    /// Answers that state no usage.
    pub(crate) unstated: u64,
}

impl Tap {
    /// Serves for as long as the test runs.
    pub(crate) async fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let tap = Self {
            address: listener.local_addr().unwrap(),
            provider: Provider::new(Tokio),
            answers: Arc::default(),
        };
        let server = Server::default();
        tokio::spawn(server.serve(listener, tap.clone(), std::future::pending()));
        tap
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The sum over all answers so far.
    pub(crate) fn served(&self) -> Served {
        let answers = self.answers.lock().unwrap();
        let mut served = Served::default();
        for answer in answers.iter() {
            let stated = stated(&answer.lock().unwrap());
            served.calls += 1;
            served.input += stated.0.unwrap_or(0);
            served.output += stated.1.unwrap_or(0);
            served.unstated += u64::from(stated == (None, None));
        }
        served
    }
}

/// Input and output of an answer in any dialect, streamed or not: later events overrule earlier
/// ones.
fn stated(answer: &[u8]) -> (Option<u64>, Option<u64>) {
    let text = String::from_utf8_lossy(answer);
    let documents = text
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line.strip_prefix("data: ")?).ok())
        .chain(serde_json::from_str::<Value>(&text).ok());
    let (mut input, mut output) = (None, None);
    for document in documents {
        for usage in [
            &document["usage"],
            &document["response"]["usage"],
            &document["message"]["usage"],
            &document["usageMetadata"],
        ] {
            let count = |names: &[&str]| names.iter().find_map(|name| usage[name].as_u64());
            input = count(&["prompt_tokens", "input_tokens", "promptTokenCount"]).or(input);
            output =
                count(&["completion_tokens", "output_tokens", "candidatesTokenCount"]).or(output);
        }
    }
    (input, output)
}

impl Service<Request<Incoming>> for Tap {
    type Response = Response<Told>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Told>, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Incoming>) -> Self::Future {
        let answer = Answer::default();
        self.answers.lock().unwrap().push(Arc::clone(&answer));
        let answering = self.provider.call(request);
        Box::pin(async move {
            let told = answering.await?;
            Ok(told.map(|inner| Told {
                inner: Box::pin(inner),
                answer,
            }))
        })
    }
}

/// An answer on its way, remembered.
pub(crate) struct Told {
    inner: Pin<Box<provider::ResponseBody<Tokio>>>,
    answer: Answer,
}

impl Body for Told {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let frame = ready!(self.inner.as_mut().poll_frame(cx));
        if let Some(Ok(frame)) = &frame
            && let Some(data) = frame.data_ref()
        {
            self.answer.lock().unwrap().extend_from_slice(data);
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }
}
