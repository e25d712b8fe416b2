//! A policy that nobody gives a call to.

use std::convert::Infallible;

use aigw_core::meter::{Ended, MeterLayer, ReportLayer};
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use tower::{Layer, Service, service_fn};

fn serve<S: Service<Request<Full<Bytes>>>>(_: S) {}

fn main() {
    let provider = service_fn(async |_: Request<Full<Bytes>>| {
        Ok::<_, Infallible>(Response::new(Full::<Bytes>::default()))
    });
    let report = ReportLayer::new(|_: &Ended<'_>| {});
    serve(report.layer(MeterLayer::new().layer(provider)));
}
