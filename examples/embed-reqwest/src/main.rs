//! An application that keeps its reqwest client, settings and all, and puts our layers around it.
//!
//! `cargo run -p embed-reqwest -- http://127.0.0.1:8080/v1/chat/completions "Hello!"` asks the
//! example gateway.

#[cfg(test)]
mod tests;

use std::{convert::Infallible, time::Duration};

use aigw_backends::{
    leaf::Leaf,
    timeout::{TimeoutLayer, Timeouts},
};
use aigw_core::{
    BoxError,
    call::{CallBody, CallLayer},
    meter::{Ended, MeterLayer, Report, ReportLayer},
    rt::Tokio,
};
use http::{Request, Response, header::CONTENT_TYPE};
use reqwest::Body;
use serde_json::json;
use tower::{Service, ServiceBuilder, ServiceExt, service_fn};

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let mut args = std::env::args().skip(1);
    let (url, text) = args
        .next()
        .zip(args.next())
        .ok_or("which URL, and what to say?")?;
    let message = json!({"role": "user", "content": text});
    let body = json!({"model": "gpt-4o", "messages": [message]});
    let provider = provider(reqwest::Client::new(), |ended: &Ended<'_>| {
        println!("{:?} used {:?}", ended.call.model(), ended.meter.usage());
    });
    let request = Request::post(url).header(CONTENT_TYPE, "application/json");
    let answer = provider
        .oneshot(request.body(body.to_string().into())?)
        .await?;
    // Back in reqwest's own types, for the code that the application has already.
    println!("{}", reqwest::Response::from(answer).text().await?);
    Ok(())
}

/// A client in our layers, made once: clones share its connections.
fn provider(
    client: reqwest::Client,
    report: impl Report + Clone + Send + Sync + 'static,
) -> impl Service<Request<Body>, Response = Response<Body>, Error = Infallible> + Clone {
    let patience = Duration::from_secs(30);
    let timeouts = Timeouts::default().first_token(patience).idle(patience);
    let leaf = Leaf::new(service_fn(move |request: Request<CallBody<Body>>| {
        let client = client.clone();
        async move {
            let request = request.map(Body::wrap).try_into()?;
            client.execute(request).await.map(Response::<Body>::from)
        }
    }));
    ServiceBuilder::new()
        .map_response(|answer: Response<_>| answer.map(Body::wrap))
        .layer(CallLayer::new())
        .layer(ReportLayer::new(report))
        .layer(TimeoutLayer::new(timeouts, Tokio))
        .layer(MeterLayer::new())
        .service(leaf)
}
