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
use http::Response;
use http_body_util::Full;

type Body = Full<Bytes>;
type Answer = std::future::Ready<Result<Response<Body>, Infallible>>;

fn shared<T: Send + Sync + Debug>() {}
fn movable<T: Unpin>() {}

#[test]
fn everything_can_cross_threads_and_be_printed() {
    shared::<client::Client<Body>>();
    shared::<client::Config>();
    shared::<client::ConfigError>();
    shared::<client::ResponseBody>();
    shared::<credentials::Credentials>();
    shared::<credentials::CredentialsLayer>();
    shared::<credentials::CredentialsService<()>>();
    shared::<leaf::Leaf<()>>();
    shared::<leaf::ResponseBody<Body>>();
    shared::<leaf::ResponseFuture<Answer>>();
    shared::<leaf::TransportError>();
    shared::<routing::RouterLayer<String>>();
    shared::<routing::Router<String, ()>>();
    shared::<timeout::Timeout<(), Tokio>>();
    shared::<timeout::TimeoutLayer<Tokio>>();
    shared::<timeout::ResponseBody<Body, Tokio>>();
    shared::<timeout::ResponseFuture<Answer, Tokio>>();
    shared::<timeout::WriteTimeout<tokio::io::DuplexStream, Tokio>>();
    shared::<transform::Transform<()>>();
    shared::<transform::TransformLayer>();
    shared::<transform::ResponseFuture<Answer, Body>>();
    shared::<transform::RewriteError>();
}

#[test]
fn what_servers_and_clients_want_to_move_can_be_moved() {
    movable::<client::ResponseBody>();
    movable::<client::ResponseFuture>();
    movable::<leaf::ResponseBody<Body>>();
    movable::<timeout::WriteTimeout<tokio::io::DuplexStream, Tokio>>();
}
