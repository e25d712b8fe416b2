//! Who may call, told by a key in the head of the request.
#![cfg(feature = "access")]
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod config;
mod keys;
mod refusals;

use std::{convert::Infallible, sync::Arc};

use aigw_core::{call::Record, key::Consumer, reject};
use aigw_policies::access::{AuthenticateLayer, Config, ConsumerConfig};
use bytes::Bytes;
use http::{Request, Response, request};
use http_body_util::Full;
use tower::{Layer, ServiceExt, service_fn};

type Answer = Response<reject::Body<Full<Bytes>>>;

/// What became of a request.
struct Told {
    answer: Answer,
    /// The head that was passed on, if it was.
    passed: Option<request::Parts>,
    record: Arc<Record>,
}

impl Told {
    fn status(&self) -> u16 {
        self.answer.status().as_u16()
    }

    /// The id of the consumer that the record has.
    fn consumer(&self) -> Option<String> {
        Some(self.record.latest::<Consumer>()?.id.to_string())
    }
}

/// `team-a` holds two keys, `team-b` one.
fn teams() -> Config {
    Config::default()
        .consumer(
            ConsumerConfig::new("team-a")
                .key("sk-team-a")
                .key("sk-team-a-next")
                .label("tier", "gold"),
        )
        .consumer(ConsumerConfig::new("team-b").key("sk-team-b"))
}

fn layer(config: Config) -> AuthenticateLayer {
    AuthenticateLayer::try_new(config).unwrap()
}

/// Sends a request through a layer around a service that answers anything.
async fn send(layer: &AuthenticateLayer, request: request::Builder) -> Told {
    let (pass, passed) = std::sync::mpsc::channel();
    let service = layer.layer(service_fn(move |request: Request<()>| {
        pass.send(request.into_parts().0).unwrap();
        std::future::ready(Ok::<_, Infallible>(Response::new(Full::from("hello"))))
    }));
    let mut request = request.body(()).unwrap();
    let record = Record::of(request.extensions_mut());
    let answer = service.oneshot(request).await.unwrap();
    let passed = passed.try_recv().ok();
    assert_eq!(answer.body().is_refused(), passed.is_none());
    Told {
        answer,
        passed,
        record,
    }
}

fn post(uri: &str) -> request::Builder {
    Request::post(uri)
}

const CHAT: &str = "/v1/chat/completions";
