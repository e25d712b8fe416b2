//! A foreign layer between two of ours, with `Across` and around it.

use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
};

use aigw_core::{
    call::{CallBody, CallLayer},
    meter::{Across, Ended, Ending, MeterLayer, Metered, Origin, ReportLayer},
};
use bytes::{Buf, Bytes};
use http::{Request, Response};
use http_body::{Body, Frame, SizeHint};
use http_body_util::Full;
use tower::{Layer, Service, ServiceExt, layer::layer_fn, service_fn, util::MapResponse};

use crate::{
    answer::{ASKED, CHAT, SSE, ok},
    support::{Script, Step, drain, poll_body, run, trailers},
};

const EVENTS: [&str; 2] = [
    "data: {\"model\":\"m-1\",\"choices\":[{\"delta\":{\"content\":\"abc\"},\"finish_reason\":\"stop\"}]}\n\n",
    "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":4}}\n\n",
];

/// A body of another crate, which knows no meter.
struct Foreign<B>(B);

impl<B: Body + Unpin> Body for Foreign<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        Pin::new(&mut self.0)
            .poll_frame(cx)
            .map_ok(|frame| frame.map_data(|mut data| data.copy_to_bytes(data.remaining())))
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.0.size_hint()
    }
}

fn provider(
    body: Script,
) -> impl Service<
    Request<CallBody<Full<Bytes>>>,
    Response = Response<Script>,
    Error = Infallible,
    Future: Future,
> + Clone {
    service_fn(move |_| {
        let body = body.clone();
        async { Ok(ok(SSE, body)) }
    })
}

fn request() -> Request<Full<Bytes>> {
    Request::post(CHAT)
        .body(Full::new(Bytes::from(ASKED)))
        .unwrap()
}

#[test]
fn the_meter_passes_a_layer_that_changes_the_body() {
    for exact in [false, true] {
        let body = Script::chunks(EVENTS);
        let body = if exact {
            body.exact()
        } else {
            body.then(Step::Trailers(trailers()))
        };
        let foreign = layer_fn(|inner| MapResponse::new(inner, |r: Response<_>| r.map(Foreign)));
        let (send, reports) = std::sync::mpsc::channel();
        let report = ReportLayer::new(move |ended: &Ended<'_>| {
            send.send((ended.meter.usage().total(), ended.ending))
                .unwrap();
        });
        let meter = MeterLayer::new().layer(provider(body));
        let service = CallLayer::new().layer(report.layer(Across::new(foreign).layer(meter)));
        let mut answer = run(service.oneshot(request())).unwrap();
        assert!(poll_body(answer.body_mut()).is_ready());
        assert_eq!(answer.body().meter().model(), Some("m-1"));
        assert_eq!(answer.body().meter().output_estimate(), 1);
        assert_eq!(answer.body().ending(), Ending::Dropped);
        let read = drain(answer.body_mut());
        assert_eq!(read.text(), EVENTS[1]);
        assert_eq!(read.trailers.is_some(), !exact);
        assert_eq!(answer.body().meter().usage().total(), Some(7));
        drop(answer);
        let reports: Vec<_> = reports.try_iter().collect();
        assert_eq!(reports, [(Some(7), Ending::Complete)]);
    }
}

#[test]
fn a_fault_passes_too() {
    let foreign = layer_fn(|inner| MapResponse::new(inner, |r: Response<_>| r.map(Foreign)));
    let body = Script::chunks(EVENTS).then(Step::Fail("reset"));
    let meter = MeterLayer::new().layer(provider(body));
    let service = CallLayer::new().layer(Across::new(foreign).layer(meter));
    let mut answer = run(service.oneshot(request())).unwrap();
    assert_eq!(drain(answer.body_mut()).error.as_deref(), Some("reset"));
    assert_eq!(answer.body().ending().as_str(), "fault");
}

#[test]
fn a_foreign_layer_that_answers_by_itself_has_the_meter_of_nobody() {
    let foreign = layer_fn(|inner| {
        tower::util::Then::new(inner, async |_: Result<Response<_>, Infallible>| {
            Ok::<_, Infallible>(ok("text/plain", Script::chunks(["from me"])))
        })
    });
    let meter = MeterLayer::new().layer(provider(Script::chunks(EVENTS)));
    let service = CallLayer::new().layer(Across::new(foreign).layer(meter));
    let mut answer = run(service.oneshot(request())).unwrap();
    assert_eq!(answer.body().meter().origin(), Origin::None);
    assert_eq!(answer.body().ending(), Ending::Complete);
    assert_eq!(drain(answer.body_mut()).text(), "from me");
    assert!(answer.body().meter().usage().is_empty());
}

#[test]
fn each_of_two_foreign_layers_is_crossed() {
    let inner = layer_fn(|inner| MapResponse::new(inner, |r: Response<_>| r.map(Foreign)));
    let outer = layer_fn(|inner| MapResponse::new(inner, |r: Response<_>| r.map(Foreign)));
    let meter = MeterLayer::new().layer(provider(Script::chunks(EVENTS)));
    let both = Across::new(outer).layer(Across::new(inner).layer(meter));
    let mut answer = run(CallLayer::new().layer(both).oneshot(request())).unwrap();
    assert_eq!(drain(answer.body_mut()).text(), EVENTS.concat());
    assert_eq!(answer.body().meter().usage().total(), Some(7));
    assert_eq!(answer.body().ending(), Ending::Complete);
}
