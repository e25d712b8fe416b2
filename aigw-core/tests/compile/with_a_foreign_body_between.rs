//! A layer of another crate that changes the body, without `Across`.

use std::convert::Infallible;

use aigw_core::{
    call::{CallBody, CallLayer},
    meter::{Ended, MeterLayer, ReportLayer},
};
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full, combinators::UnsyncBoxBody};
use tower::{Layer, Service, ServiceExt, service_fn};

fn serve<S: Service<Request<Full<Bytes>>>>(_: S) {}

fn main() {
    let provider = service_fn(async |_: Request<CallBody<Full<Bytes>>>| {
        Ok::<_, Infallible>(Response::new(Full::<Bytes>::default()))
    });
    let foreign = MeterLayer::new()
        .layer(provider)
        .map_response(|response: Response<_>| response.map(BodyExt::boxed_unsync))
        .map_response(|response: Response<UnsyncBoxBody<Bytes, aigw_core::BoxError>>| response);
    let report = ReportLayer::new(|_: &Ended<'_>| {});
    serve(CallLayer::new().layer(report.layer(foreign)));
}
