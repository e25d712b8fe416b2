//! Each call is reported exactly once, whatever becomes of it.

use std::{
    convert::Infallible,
    future::{Future, pending, ready},
    pin::pin,
    sync::{Arc, Mutex},
    task::{Context, Waker},
};

use aigw_core::{
    around,
    call::CallLayer,
    meter::{Ended, MeterLayer, ReportLayer},
};
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use tower::{Layer, ServiceBuilder, ServiceExt, service_fn};

use crate::{
    answer::{ASKED, CHAT, JSON, SSE, ok},
    support::{Script, Step, drain, poll_body, run},
};

/// Status, total and ending of a report.
type Reported = (Option<u16>, Option<u64>, &'static str);

#[derive(Clone, Default)]
struct Reports(Arc<Mutex<Vec<Reported>>>);

impl Reports {
    fn layer(&self) -> ReportLayer<impl Fn(&Ended<'_>) + Clone + use<>> {
        let reports = self.clone();
        ReportLayer::new(move |ended: &Ended<'_>| {
            assert_eq!(ended.call.model(), Some("m"));
            let status = ended.status.map(|status| status.as_u16());
            let total = ended.meter.usage().total();
            reports
                .0
                .lock()
                .unwrap()
                .push((status, total, ended.ending.as_str()));
        })
    }

    fn take(&self) -> Vec<Reported> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

fn request() -> Request<Full<Bytes>> {
    Request::post(CHAT)
        .body(Full::new(Bytes::from(ASKED)))
        .unwrap()
}

const EVENTS: [&str; 3] = [
    "data: {\"choices\":[{\"delta\":{\"content\":\"abcd\"}}]}\n\n",
    "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":4}}\n\n",
    "data: [DONE]\n\n",
];

fn stream() -> Script {
    Script::chunks(EVENTS)
}

/// Polls `n` times in all, the call first and then its body, and drops what there is. Answers
/// whether the end came before.
fn poll_and_drop(reports: &Reports, body: Script, n: usize) -> bool {
    let provider = service_fn(move |_| {
        let (body, mut waits) = (body.clone(), 2);
        std::future::poll_fn(move |cx| {
            waits -= i32::from(waits > 0);
            cx.waker().wake_by_ref();
            if waits > 0 {
                std::task::Poll::Pending
            } else {
                std::task::Poll::Ready(Ok::<_, Infallible>(ok(SSE, body.clone())))
            }
        })
    });
    let service = around(reports.layer()).layer(provider);
    let mut call = Box::pin(service.oneshot(request()));
    let mut cx = Context::from_waker(Waker::noop());
    let mut answer = None;
    for _ in 0..n {
        match &mut answer {
            None => {
                if let std::task::Poll::Ready(response) = call.as_mut().poll(&mut cx) {
                    answer = Some(response.unwrap());
                }
            }
            Some(response) => {
                if let std::task::Poll::Ready(None | Some(Err(_))) = poll_body(response.body_mut())
                {
                    return true;
                }
            }
        }
    }
    false
}

#[test]
fn dropped_after_any_number_of_polls_it_is_reported_once() {
    let bodies = [
        stream(),
        stream().exact(),
        stream().then(Step::Fail("reset")),
        Script::new([Step::Wait, Step::Wait]).then(Step::Data(Bytes::from(EVENTS[0]))),
        Script::new([]),
        Script::new([]).exact(),
    ];
    for body in bodies {
        let reports = Reports::default();
        let mut n = 0;
        loop {
            let over = poll_and_drop(&reports, body.clone(), n);
            // Unpolled, no service was asked; from then on each call is one report.
            let reported = reports.take();
            assert_eq!(
                reported.len(),
                usize::from(n > 0),
                "after {n} polls of {body:?}"
            );
            if over || n > 20 {
                break;
            }
            n += 1;
        }
    }
}

#[test]
fn the_end_of_the_body_is_the_end_of_the_call() {
    let reports = Reports::default();
    for body in [stream(), stream().exact()] {
        let service = around(reports.layer()).layer(service_fn(|_| {
            ready(Ok::<_, Infallible>(ok(SSE, body.clone())))
        }));
        let mut answer = run(service.oneshot(request())).unwrap();
        assert_eq!(reports.take(), []);
        drain(answer.body_mut());
        assert_eq!(reports.take(), [(Some(200), Some(7), "complete")]);
        drop(answer);
        assert_eq!(reports.take(), []);
    }
}

#[test]
fn a_call_whose_answer_streams_holds_no_prompt() {
    let reports = Reports::default();
    let service = ServiceBuilder::new()
        .layer(CallLayer::new().max_buffered_bytes(ASKED.len()))
        .layer(reports.layer())
        .layer(MeterLayer::new())
        .service_fn(|_| ready(Ok::<_, Infallible>(ok(SSE, stream()))));
    let call = || run(service.clone().oneshot(request())).unwrap();
    let (first, second) = (call(), call());
    assert!(first.status().is_success() && second.status().is_success());
    drop((first, second));
    assert_eq!(reports.take().len(), 2);
}

#[test]
fn an_empty_body_is_reported_without_being_polled() {
    let reports = Reports::default();
    let service = around(reports.layer()).layer(service_fn(|_| {
        ready(Ok::<_, Infallible>(ok(JSON, Script::new([]).exact())))
    }));
    let answer = run(service.oneshot(request())).unwrap();
    assert_eq!(reports.take(), [(Some(200), None, "fault")]);
    drop(answer);
    assert_eq!(reports.take(), []);
}

#[test]
fn an_early_drop_reports_what_was_seen() {
    let reports = Reports::default();
    let service = around(reports.layer()).layer(service_fn(|_| {
        ready(Ok::<_, Infallible>(ok(SSE, stream())))
    }));
    let mut answer = run(service.oneshot(request())).unwrap();
    assert!(poll_body(answer.body_mut()).is_ready());
    drop(answer);
    assert_eq!(reports.take(), [(Some(200), Some(1), "dropped")]);
}

#[test]
fn an_error_of_the_body_is_reported_at_once() {
    let reports = Reports::default();
    let body = stream().then(Step::Fail("reset"));
    let service = around(reports.layer()).layer(service_fn(|_| {
        ready(Ok::<_, Infallible>(ok(SSE, body.clone())))
    }));
    let mut answer = run(service.oneshot(request())).unwrap();
    assert!(drain(answer.body_mut()).error.is_some());
    assert_eq!(reports.take(), [(Some(200), Some(7), "fault")]);
}

#[test]
fn a_call_dropped_before_its_head_is_reported_as_dropped() {
    let reports = Reports::default();
    let provider = service_fn(|_| pending::<Result<Response<Script>, Infallible>>());
    {
        let mut call = pin!(around(reports.layer()).layer(provider).oneshot(request()));
        let mut cx = Context::from_waker(Waker::noop());
        assert!(call.as_mut().poll(&mut cx).is_pending());
        assert_eq!(reports.take(), []);
    }
    assert_eq!(reports.take(), [(None, None, "dropped")]);
}

#[test]
fn an_error_of_the_service_is_a_fault_without_a_head() {
    let reports = Reports::default();
    let provider = service_fn(|_| ready(Err::<Response<Script>, _>("no")));
    assert_eq!(
        run(around(reports.layer()).layer(provider).oneshot(request())).unwrap_err(),
        "no"
    );
    assert_eq!(reports.take(), [(None, None, "fault")]);
}

#[test]
fn a_request_that_the_call_layer_refuses_is_none_of_the_reports_below_it() {
    let reports = Reports::default();
    let service = around(reports.layer()).layer(service_fn(|_| {
        ready(Ok::<_, Infallible>(ok(SSE, stream())))
    }));
    let bad = Request::post(CHAT)
        .body(Full::new(Bytes::from("{")))
        .unwrap();
    assert_eq!(run(service.oneshot(bad)).unwrap().status(), 400);
    assert_eq!(reports.take(), []);
}
