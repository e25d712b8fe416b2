//! A policy below which nobody reads the answer.

use std::convert::Infallible;

use aigw_core::{
    call::{CallBody, CallLayer},
    meter::{Ended, ReportLayer},
};
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use tower::{Layer, Service, service_fn};

fn serve<S: Service<Request<Full<Bytes>>>>(_: S) {}

fn main() {
    let provider = service_fn(async |_: Request<CallBody<Full<Bytes>>>| {
        Ok::<_, Infallible>(Response::new(Full::<Bytes>::default()))
    });
    let report = ReportLayer::new(|_: &Ended<'_>| {});
    serve(CallLayer::new().layer(report.layer(provider)));
}
