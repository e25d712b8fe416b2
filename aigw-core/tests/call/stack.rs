//! A call layer over a service that keeps what it was given.

use std::{convert::Infallible, sync::Arc};

use aigw_core::{
    call::{Call, CallBody, CallLayer, Record},
    reject::{self, Refused},
};
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use tower::{Layer, ServiceExt, service_fn};

use crate::support::{Script, run};

pub(crate) const CHAT: &str = "/v1/chat/completions";

pub(crate) type Passed = Request<CallBody<Script>>;
pub(crate) type Answer = Response<reject::Body<Full<Bytes>>>;

/// What became of a request: what was passed on, the answer, and the record.
pub(crate) struct Outcome {
    pub(crate) passed: Option<Passed>,
    pub(crate) answer: Answer,
    pub(crate) record: Arc<Record>,
}

impl Outcome {
    pub(crate) fn passed(self) -> Passed {
        assert_eq!(self.answer.status(), 200, "{:?}", self.refused());
        self.passed.unwrap()
    }

    pub(crate) fn refused(&self) -> Option<Refused> {
        Refused::of(self.answer.extensions()).cloned()
    }
}

pub(crate) fn send(layer: &CallLayer, mut request: Request<Script>) -> Outcome {
    let record = Record::of(request.extensions_mut());
    let passed = std::cell::RefCell::new(None);
    let keep = &passed;
    let inner = service_fn(move |request: Passed| {
        *keep.borrow_mut() = Some(request);
        std::future::ready(Ok::<_, Infallible>(Response::new(Full::default())))
    });
    let answer = run(layer.layer(inner).oneshot(request)).unwrap();
    Outcome {
        passed: passed.take(),
        answer,
        record,
    }
}

pub(crate) fn post(uri: &str, body: Script) -> Request<Script> {
    Request::post(uri).body(body).unwrap()
}

/// Sends a JSON body whole.
pub(crate) fn json(uri: &str, body: impl AsRef<[u8]>) -> Outcome {
    send(&CallLayer::new(), post(uri, Script::chunks([body])))
}

/// Parses without any service.
pub(crate) fn parse(uri: &str, body: &str) -> Result<Call, reject::Refusal> {
    let head = Request::post(uri).body(()).unwrap();
    let target = aigw_core::dialect::Target::recognize(head.method(), head.uri(), head.headers());
    Call::parse(
        target,
        Bytes::copy_from_slice(body.as_bytes()),
        Arc::default(),
    )
}
