use std::{
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderMap, Request, Response, header};
use http_body::Body;
use tower_service::Service;

use super::{
    CallBody, Record,
    budget::Budget,
    collect::{Collect, too_large},
    form,
    future::ResponseFuture,
    peeking::Peeking,
    preparing::{Head, Preparing, Reading},
};
use crate::{
    dialect::Target,
    headers::{encoding, media_type},
    reject::{self, Reason, Refusal, Refuser},
    rt::{NoTimer, Timer},
};

/// Reads each request's body once; made by [`CallLayer`](super::CallLayer).
///
/// # Readiness
///
/// Always ready: a fresh clone of the inner service is driven to readiness once the body is read,
/// so that a slow caller holds no place in the services below.
#[derive(Clone, Debug)]
pub struct CallService<S, T = NoTimer> {
    pub(super) inner: S,
    pub(super) settings: Settings<T>,
}

/// What a layer and its services share.
#[derive(Clone, Debug)]
pub(super) struct Settings<T> {
    pub(super) max_body_bytes: usize,
    pub(super) budget: Budget,
    pub(super) timer: T,
    pub(super) body_timeout: Option<Duration>,
    pub(super) refuser: Refuser,
}

impl<S, T, B, ResBody> Service<Request<B>> for CallService<S, T>
where
    S: Service<Request<CallBody<B>>, Response = Response<ResBody>> + Clone,
    B: Body,
    ResBody: Body<Data = Bytes>,
    T: Timer,
{
    type Response = Response<reject::Body<ResBody>>;
    type Error = S::Error;
    type Future = ResponseFuture<S, B, T>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let Settings {
            max_body_bytes,
            budget,
            timer,
            body_timeout,
            refuser,
        } = &self.settings;
        let (mut parts, body) = request.into_parts();
        let target = Target::recognize(&parts.method, &parts.uri, &parts.headers);
        let record = Record::of(&mut parts.extensions);
        let reading =
            if let Err(refusal) = admissible(&target, &parts.headers, &body, *max_body_bytes) {
                // Who waits for leave to send is told no before it sends.
                if parts.headers.contains_key(header::EXPECT) {
                    Reading::Refused(refusal)
                } else {
                    Reading::Collecting(Collect::discard(body, *max_body_bytes, refusal))
                }
            } else if target.operation().has_json_body() {
                Reading::Collecting(Collect::new(body, *max_body_bytes, budget.hold()))
            } else if body.is_end_stream() {
                Reading::Empty
            } else if let Some(delimiter) = form::boundary(&parts.headers) {
                Reading::Peeking(Peeking::new(body, delimiter))
            } else {
                Reading::Unread(body)
            };
        let head = Head {
            parts,
            target,
            record,
            refuser: refuser.clone(),
        };
        // Taken before the body is read, for it is the caller who is timed.
        let sleep = body_timeout
            .filter(|_| reading.waits())
            .map(|timeout| timer.sleep_for(timeout));
        ResponseFuture::new(Preparing::new(head, reading, self.inner.clone(), sleep))
    }
}

/// Refuses from the head alone what could not be read.
fn admissible(
    target: &Target,
    headers: &HeaderMap,
    body: &impl Body,
    max_body_bytes: usize,
) -> Result<(), Refusal> {
    let upgrades = headers.get_all(header::UPGRADE).iter();
    if upgrades
        .filter_map(|value| value.to_str().ok())
        .any(names_websocket)
    {
        let message = "WebSocket is not supported here; use HTTP with `stream: true`";
        return Err(Refusal::new(Reason::UpgradeNotSupported, message));
    }
    if !target.operation().has_json_body() {
        return Ok(());
    }
    if encoding(headers).is_some() {
        let message =
            "an encoded request body cannot be read here; send it without `content-encoding`";
        return Err(Refusal::new(Reason::UnsupportedEncoding, message));
    }
    if media_type(headers).is_some_and(|media| !is_json(media)) {
        let message = "this operation takes JSON; send `content-type: application/json`";
        return Err(Refusal::new(Reason::UnsupportedMediaType, message));
    }
    // Others are told once they have sent it, for it may be what they announce or not.
    if headers.contains_key(header::EXPECT) && body.size_hint().lower() > max_body_bytes as u64 {
        return Err(too_large(max_body_bytes));
    }
    Ok(())
}

fn names_websocket(upgrade: &str) -> bool {
    upgrade
        .split(',')
        .any(|protocol| protocol.trim().eq_ignore_ascii_case("websocket"))
}

fn is_json(media: &str) -> bool {
    let suffix = media.rsplit_once('+').map(|(_, suffix)| suffix);
    media.eq_ignore_ascii_case("application/json")
        || media.eq_ignore_ascii_case("text/json")
        || suffix.is_some_and(|suffix| suffix.eq_ignore_ascii_case("json"))
}
