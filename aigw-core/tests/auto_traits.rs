//! Every public type can cross threads, be moved while pinned, and be printed.

use std::fmt::Debug;

use aigw_core::{
    Around, call, dialect, duration, key, meter, observe, outcome, reject, rt, sse, truncate, usage,
};
use bytes::Bytes;
use http_body_util::Full;

type Inner = Full<Bytes>;
type CallBody = call::CallBody<Inner>;
type MeterBody = meter::MeterBody<Inner>;
type Metered = meter::HideUsage<MeterBody>;
type Report = fn(&meter::Ended<'_>);
type Answer = Result<http::Response<Metered>, std::convert::Infallible>;
type Future = std::future::Ready<Answer>;
type Service = tower::util::ServiceFn<fn(http::Request<CallBody>) -> Future>;

fn plain<T: Send + Sync + Unpin + Debug>() {}

#[test]
fn every_public_type_is_send_sync_unpin_and_debug() {
    plain::<call::Call>();
    plain::<CallBody>();
    plain::<call::CallLayer>();
    plain::<call::CallService<()>>();
    plain::<call::Edit>();
    plain::<call::Part>();
    plain::<call::PartKind>();
    plain::<call::Record>();
    plain::<call::ResponseFuture<Service, Inner, rt::NoTimer>>();
    plain::<dialect::Dialect>();
    plain::<dialect::Operation>();
    plain::<dialect::ParseError>();
    plain::<dialect::Target>();
    plain::<duration::ParseError>();
    plain::<key::ClientAddr>();
    plain::<key::Consumer>();
    plain::<key::Dimension>();
    plain::<key::ParseError>();
    plain::<meter::Across<()>>();
    plain::<meter::across::AcrossBody<Inner>>();
    plain::<meter::across::AcrossFuture<Future>>();
    plain::<meter::across::AcrossService<()>>();
    plain::<meter::across::Carry<()>>();
    plain::<meter::across::CarryBody<Metered>>();
    plain::<meter::across::CarryFuture<Future>>();
    plain::<meter::Ended<'_>>();
    plain::<meter::Ending>();
    plain::<meter::FinishReason>();
    plain::<Metered>();
    plain::<meter::InBandError>();
    plain::<meter::IncludeUsage>();
    plain::<meter::Meter>();
    plain::<MeterBody>();
    plain::<meter::MeterLayer>();
    plain::<meter::MeterService<()>>();
    plain::<meter::Origin>();
    plain::<meter::Reads>();
    plain::<meter::ReportLayer<()>>();
    plain::<meter::ResponseFuture<Service, CallBody, Metered, rt::SystemClock, ()>>();
    plain::<meter::report::ResponseBody<Metered, Report>>();
    plain::<meter::report::ResponseFuture<Future, Report>>();
    plain::<meter::report::ReportService<(), ()>>();
    plain::<observe::Event<'_>>();
    plain::<outcome::Fault>();
    plain::<outcome::FaultKind>();
    plain::<outcome::Outcome>();
    plain::<outcome::RetryHint>();
    plain::<reject::Body<Inner>>();
    plain::<reject::DialectJson>();
    plain::<reject::Reason>();
    plain::<reject::Refusal>();
    plain::<reject::Refused>();
    plain::<reject::Refuser>();
    plain::<reject::ResponseFuture<Answer, Inner>>();
    plain::<rt::Never>();
    plain::<rt::NoTimer>();
    plain::<rt::OffloadError>();
    plain::<rt::SystemClock>();
    plain::<sse::Lexer>();
    plain::<sse::Token<'_>>();
    plain::<truncate::Shown>();
    plain::<usage::Kind>();
    plain::<usage::Source>();
    plain::<usage::Usage>();
    plain::<Around<()>>();
}

#[test]
#[cfg(feature = "tokio")]
fn tokio_is_shared_and_what_it_waits_for_too() {
    fn shared<T: Send + Sync + Debug>() {}
    plain::<rt::Tokio>();
    plain::<rt::TokioOffload<()>>();
    // A timer of tokio's stays where it is.
    shared::<rt::TokioSleep>();
}

#[test]
#[cfg(feature = "test-util")]
fn what_policies_are_tested_with_is_so_too() {
    use aigw_core::testing::{Provider, contract, provider};
    plain::<Provider<rt::NoTimer>>();
    plain::<provider::Config>();
    plain::<provider::Fate>();
    plain::<provider::Received>();
    plain::<provider::ResponseBody<rt::NoTimer>>();
    plain::<provider::ResponseFuture<Inner, rt::NoTimer>>();
    plain::<contract::body::Sample>();
    plain::<contract::drops::Left>();
    plain::<contract::service::Inner>();
}

fn movable<T: Send + Unpin + Debug>() {}

#[test]
fn a_box_of_a_body_need_not_be_shared() {
    movable::<meter::BoxMetered>();
}

/// A provider's service, whose future is what it is told to be.
fn provider<F>(
    future: impl Fn() -> F + Clone,
) -> impl tower::Service<
    http::Request<CallBody>,
    Response = http::Response<Inner>,
    Error = std::convert::Infallible,
    Future = F,
> + Clone
where
    F: std::future::Future<Output = Result<http::Response<Inner>, std::convert::Infallible>>,
{
    tower::service_fn(move |_| future())
}

fn request() -> http::Request<Inner> {
    let mut request = http::Request::new(Inner::from(r#"{"model":"m"}"#));
    *request.method_mut() = http::Method::POST;
    *request.uri_mut() = http::Uri::from_static("/v1/chat/completions");
    request
}

#[test]
fn futures_are_send_over_a_service_whose_futures_are() {
    use tower::{Layer, ServiceExt};
    fn send<T: Send>(_: &T) {}
    let report: Report = |_| {};
    let service = aigw_core::around(meter::ReportLayer::new(report)).layer(provider(|| async {
        Ok(http::Response::new(Inner::default()))
    }));
    send(&service.oneshot(request()));
}

#[tokio::test]
async fn services_without_send_can_be_used_as_well() {
    use tower::{Layer, ServiceExt};
    let local = std::rc::Rc::new(());
    let report: Report = |_| {};
    let service = aigw_core::around(meter::ReportLayer::new(report)).layer(provider(move || {
        let local = std::rc::Rc::clone(&local);
        async move {
            tokio::task::yield_now().await;
            drop(local);
            Ok(http::Response::new(Inner::default()))
        }
    }));
    assert_eq!(service.oneshot(request()).await.unwrap().status(), 200);
}
