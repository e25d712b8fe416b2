//! Any service as a leaf: whatever fails below is an answer above.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use std::{
    convert::Infallible,
    error::Error,
    io,
    task::{Context, Poll},
};

use aigw_backends::leaf::Leaf;
use aigw_core::{
    call::CallLayer,
    outcome::{Fault, FaultKind},
};
use bytes::Bytes;
use http::{Request, Response};
use http_body::{Body, Frame};
use http_body_util::{BodyExt, Full};
use tower::{Layer, Service, ServiceExt, service_fn};

fn chat() -> Request<Full<Bytes>> {
    let body = Full::from(r#"{"model":"gpt-4o","messages":[]}"#);
    Request::post("/v1/chat/completions").body(body).unwrap()
}

#[tokio::test]
async fn what_does_not_fail_passes_untouched() {
    let provider = service_fn(|_| async {
        Ok::<_, Infallible>(
            Response::builder()
                .status(429)
                .body(Full::<Bytes>::from("slow"))
                .unwrap(),
        )
    });
    let answer = CallLayer::new().layer(Leaf::new(provider)).oneshot(chat());
    let answer = answer.await.unwrap();
    assert_eq!(answer.status(), 429);
    assert!(answer.extensions().get::<Fault>().is_none());
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    assert_eq!(body, "slow");
}

#[tokio::test]
async fn an_error_of_a_foreign_transport_is_read_as_it_was_told() {
    fn every_error_is_tls(_: &(dyn Error + 'static)) -> Fault {
        Fault::undispatched(FaultKind::Tls)
    }
    let provider =
        service_fn(|_| async { Err::<Response<Full<Bytes>>, _>(io::Error::other("odd")) });
    let leaf = Leaf::new(provider).diagnose_with(every_error_is_tls);
    let answer = CallLayer::new().layer(leaf).oneshot(chat()).await.unwrap();
    assert_eq!(answer.status(), 502);
    assert_eq!(
        answer.extensions().get(),
        Some(&Fault::undispatched(FaultKind::Tls))
    );
}

#[tokio::test]
async fn a_body_that_breaks_keeps_its_words_and_gains_a_fault() {
    let provider = service_fn(|_| async {
        let frames = [
            Ok(Frame::data(Bytes::from("half"))),
            Err(io::Error::new(io::ErrorKind::ConnectionReset, "by peer")),
        ];
        let body = Frames(frames.into_iter().collect());
        Ok::<_, Infallible>(Response::new(body))
    });
    let answer = CallLayer::new().layer(Leaf::new(provider)).oneshot(chat());
    let error = answer
        .await
        .unwrap()
        .into_body()
        .collect()
        .await
        .unwrap_err();
    assert_eq!(error.to_string(), "by peer");
    assert_eq!(
        Fault::find(&*error),
        Some(&Fault::dispatched(FaultKind::Reset))
    );
}

#[tokio::test]
async fn a_service_that_is_never_ready_again_is_answered_for_and_left_alone() {
    #[derive(Clone)]
    struct Broken;

    impl<B> Service<Request<B>> for Broken {
        type Response = Response<Full<Bytes>>;
        type Error = io::Error;
        type Future = std::future::Ready<io::Result<Response<Full<Bytes>>>>;

        fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()))
        }

        fn call(&mut self, _: Request<B>) -> Self::Future {
            panic!("called although it is not ready")
        }
    }

    let mut stack = CallLayer::new().layer(Leaf::new(Broken));
    for _ in 0..2 {
        let ready = ServiceExt::<Request<Full<Bytes>>>::ready(&mut stack);
        let answer = ready.await.unwrap().call(chat()).await.unwrap();
        assert_eq!(answer.status(), 502);
        assert_eq!(
            answer.extensions().get(),
            Some(&Fault::undispatched(FaultKind::Reset))
        );
    }
}

/// Frames that are all there.
struct Frames(std::collections::VecDeque<io::Result<Frame<Bytes>>>);

impl Body for Frames {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        Poll::Ready(self.0.pop_front())
    }
}
