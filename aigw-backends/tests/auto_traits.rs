//! Which of the public types can cross threads, move and be printed.
#![cfg(all(
    feature = "client",
    feature = "credentials",
    feature = "routing",
    feature = "timeout",
    feature = "transform"
))]

use std::{convert::Infallible, fmt::Debug};

use aigw_backends::{client, credentials, leaf, routing, timeout, transform};
use aigw_core::rt::Tokio;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;

type Body = Full<Bytes>;
type Answer = std::future::Ready<Result<Response<Body>, Infallible>>;
type Service = tower::util::ServiceFn<fn(Request<Body>) -> Answer>;

fn shared<T: Send + Sync + Debug>() {}
fn movable<T: Unpin>() {}

#[test]
fn everything_can_cross_threads_and_be_printed() {
    shared::<client::Client<Body>>();
    shared::<client::Config>();
    shared::<client::ConfigError>();
    shared::<client::Protocol>();
    shared::<client::Proxy>();
    shared::<client::Tls>();
    shared::<client::ResponseBody>();
    shared::<credentials::ConfigError>();
    shared::<credentials::Credentials>();
    shared::<credentials::CredentialsLayer>();
    shared::<credentials::CredentialsService<()>>();
    shared::<credentials::Secret>();
    shared::<leaf::Leaf<()>>();
    shared::<leaf::ResponseBody<Body>>();
    shared::<leaf::ResponseFuture<Answer>>();
    shared::<leaf::TransportError>();
    shared::<routing::ConfigError>();
    shared::<routing::Decision<'_, String>>();
    shared::<routing::Fallback>();
    shared::<routing::Reply>();
    shared::<routing::ResponseFuture<Service, Body, Body>>();
    shared::<routing::Route<String>>();
    shared::<routing::RouteConfig>();
    shared::<routing::Routed>();
    shared::<routing::Router<String, ()>>();
    shared::<routing::RouterLayer<String>>();
    shared::<routing::RoutingConfig>();
    shared::<routing::Table<String>>();
    shared::<timeout::ConfigError>();
    shared::<timeout::ReaderTimeout<(), Tokio>>();
    shared::<timeout::ReaderTimeoutLayer<Tokio>>();
    shared::<timeout::Timeout<(), Tokio>>();
    shared::<timeout::TimeoutLayer<Tokio>>();
    shared::<timeout::Timeouts>();
    shared::<timeout::reader::ReaderBody<Body, Tokio>>();
    shared::<timeout::reader::ReaderFuture<Answer, Tokio>>();
    shared::<timeout::ResponseBody<Body, Tokio>>();
    shared::<timeout::ResponseFuture<Answer, Tokio>>();
    shared::<timeout::WriteTimeout<tokio::io::DuplexStream, Tokio>>();
    shared::<transform::ConfigError>();
    shared::<transform::ResponseFuture<Answer, Body>>();
    shared::<transform::Rewrite>();
    shared::<transform::RewriteError>();
    shared::<transform::Transform<()>>();
    shared::<transform::TransformLayer>();
    shared::<transform::Upstream>();
}

#[test]
fn what_servers_and_clients_want_to_move_can_be_moved() {
    movable::<client::ResponseBody>();
    movable::<client::ResponseFuture>();
    movable::<leaf::ResponseBody<Body>>();
    movable::<routing::ResponseFuture<Service, Body, Body>>();
    movable::<timeout::reader::ReaderBody<Body, Tokio>>();
    movable::<timeout::reader::ReaderFuture<Answer, Tokio>>();
    movable::<timeout::WriteTimeout<tokio::io::DuplexStream, Tokio>>();
}
